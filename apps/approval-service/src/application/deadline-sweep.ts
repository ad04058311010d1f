import type pg from 'pg';
import type { TimeOutApprovals, TimeOutRequest } from './time-out-approvals.js';

const pageSize = 100;

/** Times out every request that is due, whether its timer rang or was lost. */
export class DeadlineSweep {
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(private readonly ports: { pool: pg.Pool; timeOut: TimeOutApprovals }) {}

  /** Resolves after a sweep that began no earlier than this call: a hundred timers of one moment share it. */
  run(): Promise<void> {
    if (this.running === undefined) return this.begin();
    this.next ??= this.running
      .catch(() => {})
      .then(() => {
        this.next = undefined;
        return this.begin();
      });
    return this.next;
  }

  private begin(): Promise<void> {
    this.running = this.sweep().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async sweep(): Promise<void> {
    const { pool, timeOut } = this.ports;
    for (;;) {
      const { rows } = await pool.query<TimeOutRequest>(
        `SELECT org_id AS "orgId", approval_id AS "approvalId", traceparent FROM approval
          WHERE status IN ('pending', 'escalated') AND deadline_at <= clock_timestamp()
          ORDER BY deadline_at LIMIT $1`,
        [pageSize],
      );
      await timeOut(rows);
      if (rows.length < pageSize) return;
    }
  }
}
