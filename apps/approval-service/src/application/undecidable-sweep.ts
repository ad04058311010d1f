import type { ApprovalTerms, KeyRef } from '@agentlattice/contracts';
import type pg from 'pg';
import type { EndUndecidable } from './end-undecidable.js';

export interface UndecidableSweepPorts {
  readonly pool: pg.Pool;
  readonly endUndecidable: EndUndecidable;
  /** How often all that wait are looked at; default 30 s. */
  readonly everyMs?: number;
}

export interface Suspect {
  readonly org_id: string;
  readonly approval_id: string;
}

interface Row extends Suspect {
  readonly traceparent: string | null;
  readonly terms: ApprovalTerms;
  readonly created_at: Date;
  readonly deadline_at: Date;
  readonly opened: {
    readonly agent: { readonly owner_member_id: string | null };
    readonly asked_with_key?: KeyRef | null;
  };
}

const pageSize = 500;

/** Those of which it might be said that nobody can decide them, and of which that was not said. */
const waiting = (
  from: string,
) => `SELECT a.org_id, a.approval_id, a.traceparent, a.terms, a.created_at, a.deadline_at,
    (SELECT e.data FROM event e
      WHERE e.org_id = a.org_id AND e.stream_id = a.approval_id AND e.version = 1) AS opened
  FROM ${from} JOIN approval a USING (org_id, approval_id)
 WHERE a.escalation_level = 0 AND o.deadline_at > clock_timestamp()
   AND ((a.terms ->> 'approvals_required')::int > 1 OR jsonb_array_length(a.terms -> 'approver_groups') > 0
        OR (a.terms ->> 'separation_of_duties')::boolean)
   AND (a.terms ->> 'on_no_approver' = 'deny' OR jsonb_array_length(a.terms -> 'escalation') > 0)`;

const noted = `${waiting(
  `(SELECT * FROM unnest($1::text[], $2::text[]) AS k (org_id, approval_id) LIMIT $3) AS k
    JOIN open_request o USING (org_id, approval_id)`,
)}`;
const all = `${waiting('open_request o')}
   AND (o.org_id, o.deadline_at, o.approval_id) > ($1::text, $2::timestamptz, $3::text)
 ORDER BY o.org_id, o.deadline_at, o.approval_id LIMIT $4`;

/**
 * Looks again for requests that nobody can decide (decisions §4.5): those that another policy came to govern, at once,
 * and all that wait, now and then, for their opening may not have been able to tell.
 */
export class UndecidableSweep {
  private readonly suspects = new Map<string, Suspect>();
  private allAgainAt = 0;

  constructor(private readonly ports: UndecidableSweepPorts) {}

  /** To be looked at in the next run. */
  note(suspects: readonly Suspect[]): void {
    for (const suspect of suspects) this.suspects.set(`${suspect.org_id}/${suspect.approval_id}`, suspect);
  }

  async run(): Promise<void> {
    const { pool, everyMs = 30_000 } = this.ports;
    while (this.suspects.size > 0) {
      const some = [...this.suspects].slice(0, pageSize);
      const { rows } = await pool.query<Row>(noted, [
        some.map(([, { org_id }]) => org_id),
        some.map(([, { approval_id }]) => approval_id),
        some.length,
      ]);
      await this.look(rows);
      for (const [key] of some) this.suspects.delete(key);
    }
    if (performance.now() < this.allAgainAt) return;
    for (let after: [string, Date, string] = ['', new Date(0), '']; ;) {
      const { rows } = await pool.query<Row>(all, [...after, pageSize]);
      await this.look(rows);
      const last = rows.at(-1);
      if (last === undefined || rows.length < pageSize) break;
      after = [last.org_id, last.deadline_at, last.approval_id];
    }
    this.allAgainAt = performance.now() + everyMs;
  }

  private async look(rows: readonly Row[]): Promise<void> {
    await this.ports.endUndecidable(
      rows.map(({ org_id, approval_id, traceparent, terms, created_at, opened }) => ({
        item: { org_id, approval_id, traceparent },
        state: {
          terms,
          requestedAt: created_at.toISOString(),
          subject: { agent: opened.agent },
          askedWithKey: opened.asked_with_key ?? null,
        },
      })),
    );
  }
}
