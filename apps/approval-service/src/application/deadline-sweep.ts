import type pg from 'pg';
import { SharedSweep } from './shared-sweep.js';
import type { TimeOutApprovals, TimeOutRequest } from './time-out-approvals.js';

const pageSize = 100;

/** Times out every request that is due, whether its timer rang or was lost. */
export class DeadlineSweep extends SharedSweep {
  constructor(private readonly ports: { pool: pg.Pool; timeOut: TimeOutApprovals }) {
    super();
  }

  protected async sweep(): Promise<void> {
    const { pool, timeOut } = this.ports;
    for (;;) {
      const { rows } = await pool.query<TimeOutRequest>(
        `SELECT o.org_id AS "orgId", o.approval_id AS "approvalId", a.traceparent
           FROM open_request o JOIN approval a USING (org_id, approval_id)
          WHERE o.deadline_at <= statement_timestamp() ORDER BY o.deadline_at LIMIT $1`,
        [pageSize],
      );
      await timeOut(rows);
      if (rows.length < pageSize) return;
    }
  }
}
