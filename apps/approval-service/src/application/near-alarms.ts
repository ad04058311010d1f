import type pg from 'pg';
import type { Alarm, AlarmClock } from '../outbound/deadline-alarms.js';

/**
 * An alarm is set once its time is this near. A timer per request from its first moment would cost more than
 * opening it, and most requests are decided long before.
 */
const nearMs = 60_000;
/** Often enough that every deadline is seen while it is near, and some. */
export const lookForNearEveryMs = nearMs / 3;
const pageSize = 5_000;

export const isNear = (at: Date, now: Date) => at.getTime() - now.getTime() <= nearMs;

/** Sets the alarms of deadlines and escalations that have come near; setting one again changes nothing. */
export const makeSetNearAlarms =
  ({ pool, alarms }: { pool: pg.Pool; alarms: AlarmClock }) =>
  async (): Promise<void> => {
    const near = async (sql: string) =>
      alarms.set((await pool.query<Alarm>(sql, [nearMs / 1_000, pageSize])).rows);
    await near(
      `SELECT 'deadline' AS kind, org_id AS "orgId", approval_id AS "approvalId", deadline_at AS at, 1 AS version,
              traceparent
         FROM approval
        WHERE status IN ('pending', 'escalated') AND deadline_at > statement_timestamp()
          AND deadline_at <= statement_timestamp() + make_interval(secs => $1)
        ORDER BY deadline_at LIMIT $2`,
    );
    await near(
      `SELECT 'escalation' AS kind, org_id AS "orgId", approval_id AS "approvalId", next_escalation_at AS at, version,
              traceparent
         FROM approval
        WHERE status IN ('pending', 'escalated') AND next_escalation_at > statement_timestamp()
          AND next_escalation_at <= statement_timestamp() + make_interval(secs => $1)
        ORDER BY next_escalation_at LIMIT $2`,
    );
  };
