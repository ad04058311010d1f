import type pg from 'pg';
import type { Alarm, AlarmClock } from '../outbound/deadline-alarms.js';

/**
 * An alarm is set once its deadline is this near. A timer per request from its first moment would cost more than
 * opening it, and most requests are decided long before.
 */
const nearMs = 60_000;
/** Often enough that every deadline is seen while it is near, and some. */
export const lookForNearEveryMs = nearMs / 3;
const pageSize = 5_000;

export const isNear = (deadline: Date, now: Date) => deadline.getTime() - now.getTime() <= nearMs;

/** Sets the alarms of deadlines that have come near; setting one again changes nothing. */
export const makeSetNearAlarms =
  ({ pool, alarms }: { pool: pg.Pool; alarms: AlarmClock }) =>
  async (): Promise<void> => {
    const { rows } = await pool.query<Alarm>(
      `SELECT org_id AS "orgId", approval_id AS "approvalId", deadline_at AS deadline, 1 AS version, traceparent
         FROM approval
        WHERE status IN ('pending', 'escalated') AND deadline_at > clock_timestamp()
          AND deadline_at <= clock_timestamp() + make_interval(secs => $1)
        ORDER BY deadline_at LIMIT $2`,
      [nearMs / 1_000, pageSize],
    );
    alarms.set(rows);
  };
