import type pg from 'pg';
import type { Alarm } from './deadline-alarms.js';

/** An open request whose time is past by the database's clock, or will be soon. */
export interface DueRequest {
  readonly orgId: string;
  readonly approvalId: string;
  readonly correlation_id: string | null;
  readonly traceparent: string | null;
  readonly at: Date;
  readonly isDue: boolean;
}

type TimeColumn = 'deadline_at' | 'next_escalation_at';
export type FindDue = (after: DueRequest | null, limit: number, soonSeconds: number) => Promise<DueRequest[]>;

/** Open requests by their deadline, the earliest first. @returns a page of those that come after the given one */
export const makeFindDueDeadlines =
  ({ pool }: { pool: pg.Pool }): FindDue =>
  (...page) =>
    findDue(pool, 'deadline_at', ...page);

/** The same by the next step of their escalation; a request that is past its deadline is not escalated. */
export const makeFindDueEscalations =
  ({ pool }: { pool: pg.Pool }): FindDue =>
  (...page) =>
    findDue(pool, 'next_escalation_at', ...page);

async function findDue(
  pool: pg.Pool,
  time: TimeColumn,
  after: DueRequest | null,
  limit: number,
  soonSeconds: number,
): Promise<DueRequest[]> {
  const { rows } = await pool.query<DueRequest>(
    `SELECT o.org_id AS "orgId", o.approval_id AS "approvalId", a.correlation_id, a.traceparent, o.${time} AS at,
            o.${time} <= statement_timestamp() AS "isDue"
       FROM open_request o JOIN approval a USING (org_id, approval_id)
      WHERE o.${time} <= statement_timestamp() + make_interval(secs => $1) ${notEnded(time)}
        AND ($2::timestamptz IS NULL OR (o.${time}, o.org_id, o.approval_id) > ($2, $3, $4))
      ORDER BY o.${time}, o.org_id, o.approval_id LIMIT $5`,
    [soonSeconds, after?.at ?? null, after?.orgId ?? null, after?.approvalId ?? null, limit],
  );
  return rows;
}

const notEnded = (time: TimeColumn) =>
  time === 'deadline_at' ? '' : 'AND o.deadline_at > statement_timestamp()';

const times = [
  // A deadline never changes; an escalation's time does, with the version.
  { kind: 'deadline', time: 'deadline_at', version: '1' },
  { kind: 'escalation', time: 'next_escalation_at', version: 'a.version' },
] as const;

/** The alarms of all deadlines and escalations within this time: a page of each kind. */
export async function findNearAlarms(pool: pg.Pool, withinMs: number, limit: number): Promise<Alarm[][]> {
  const pages: Alarm[][] = [];
  for (const { kind, time, version } of times) {
    const { rows } = await pool.query<Alarm>(
      `SELECT '${kind}' AS kind, o.org_id AS "orgId", o.approval_id AS "approvalId", o.${time} AS at,
              ${version} AS version, a.traceparent
         FROM open_request o JOIN approval a USING (org_id, approval_id)
        WHERE o.${time} > statement_timestamp() AND o.${time} <= statement_timestamp() + make_interval(secs => $1)
        ORDER BY o.${time} LIMIT $2`,
      [withinMs / 1_000, limit],
    );
    pages.push(rows);
  }
  return pages;
}
