import type pg from 'pg';
import { SharedSweep, soonSeconds } from './shared-sweep.js';
import type { TimeOutApprovals, TimeOutRequest } from './time-out-approvals.js';

const pageSize = 100;

/** Times out every request that is due, whether its timer rang or was lost. */
export class DeadlineSweep extends SharedSweep {
  constructor(private readonly ports: { pool: pg.Pool; timeOut: TimeOutApprovals }) {
    super();
  }

  protected async sweep(): Promise<boolean> {
    const { pool, timeOut } = this.ports;
    for (;;) {
      const { rows } = await pool.query<TimeOutRequest & { isDue: boolean }>(
        `SELECT o.org_id AS "orgId", o.approval_id AS "approvalId", a.traceparent,
                o.deadline_at <= statement_timestamp() AS "isDue"
           FROM open_request o JOIN approval a USING (org_id, approval_id)
          WHERE o.deadline_at <= statement_timestamp() + make_interval(secs => $2)
          ORDER BY o.deadline_at LIMIT $1`,
        [pageSize, soonSeconds],
      );
      const due = rows.filter(({ isDue }) => isDue);
      await timeOut(due);
      if (due.length < pageSize) return rows.length > 0;
    }
  }
}
