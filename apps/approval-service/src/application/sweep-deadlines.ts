import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import type { TimeOutApproval, TimeOutRequest } from './time-out-approval.js';

export interface SweepPorts {
  readonly pool: pg.Pool;
  readonly timeOut: TimeOutApproval;
  readonly logger: Logger;
}

const pageSize = 200;
const together = 8;

/** Times out every request that is due; finds those whose timer was lost. @returns how many it looked at */
export const makeSweepDeadlines =
  ({ pool, timeOut, logger }: SweepPorts) =>
  async (): Promise<number> => {
    let seen = 0;
    for (;;) {
      const { rows } = await pool.query<TimeOutRequest>(
        `SELECT org_id AS "orgId", approval_id AS "approvalId", traceparent FROM approval
          WHERE status IN ('pending', 'escalated') AND deadline_at <= clock_timestamp()
          ORDER BY deadline_at LIMIT $1`,
        [pageSize],
      );
      seen += rows.length;
      let failures = 0;
      const queue = [...rows];
      const work = async () => {
        for (let due = queue.pop(); due !== undefined; due = queue.pop())
          await timeOut(due).catch((error: unknown) => {
            failures++;
            logger.error({ err: error, approval_id: due?.approvalId }, 'a request could not be timed out');
          });
      };
      await Promise.all(Array.from({ length: together }, work));
      // What failed is due again at the next sweep; trying at once would turn in circles.
      if (rows.length < pageSize || failures > 0) return seen;
    }
  };
