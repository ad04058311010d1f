import { type EventStore, inTransaction } from '@agentlattice/event-store';
import type pg from 'pg';
import type { ApprovalCommand } from '../domain/approval-decider.js';
import { storedApprovalDecider } from '../domain/stored-approval-decider.js';
import { setNextEscalations } from '../outbound/escalation-times.js';
import { projectApprovals } from '../outbound/project-approvals.js';
import { SharedSweep, soonSeconds } from './shared-sweep.js';

const pageSize = 100;

interface DueRow {
  readonly orgId: string;
  readonly streamId: string;
  readonly correlation_id: string | null;
  readonly traceparent: string | null;
  readonly isDue: boolean;
}

/** Takes every step of escalation that is due, whether its timer rang or was lost: a batch of requests in one commit. */
export class EscalationSweep extends SharedSweep {
  constructor(private readonly ports: { pool: pg.Pool; store: EventStore }) {
    super();
  }

  protected async sweep(): Promise<boolean> {
    const { pool } = this.ports;
    for (;;) {
      const { rows } = await pool.query<DueRow>(
        `SELECT o.org_id AS "orgId", o.approval_id AS "streamId", a.correlation_id, a.traceparent,
                o.next_escalation_at <= statement_timestamp() AS "isDue"
           FROM open_request o JOIN approval a USING (org_id, approval_id)
          WHERE o.next_escalation_at <= statement_timestamp() + make_interval(secs => $2)
            AND o.deadline_at > statement_timestamp()
          ORDER BY o.next_escalation_at LIMIT $1`,
        [pageSize, soonSeconds],
      );
      const due = rows.filter(({ isDue }) => isDue);
      if (due.length > 0) await this.escalate(due);
      if (due.length < pageSize) return rows.length > 0;
    }
  }

  /** What is due by the database's clock is judged anew from the events; one that ended, or was told, stays silent. */
  private escalate(due: readonly DueRow[]): Promise<void> {
    const { pool, store } = this.ports;
    return inTransaction(pool, async (tx) => {
      const { states } = await store.updateManyIn(tx, {
        decider: storedApprovalDecider,
        streams: due.map(({ orgId, streamId, correlation_id, traceparent }) => ({
          orgId,
          streamId,
          meta: {
            actor: { kind: 'system' as const, id: null, key_id: null, via: 'system' as const },
            correlation_id,
            traceparent,
          },
        })),
        command: (now): ApprovalCommand => ({ type: 'Escalate', now }),
        project: projectApprovals,
      });
      await setNextEscalations(
        tx,
        due.flatMap(({ orgId }, i) => {
          const state = states[i];
          return state === undefined ? [] : [{ orgId, state }];
        }),
      );
    });
  }
}
