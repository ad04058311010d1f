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
      `SELECT 'deadline' AS kind, o.org_id AS "orgId", o.approval_id AS "approvalId", o.deadline_at AS at,
              1 AS version, a.traceparent
         FROM open_request o JOIN approval a USING (org_id, approval_id)
        WHERE o.deadline_at > statement_timestamp()
          AND o.deadline_at <= statement_timestamp() + make_interval(secs => $1)
        ORDER BY o.deadline_at LIMIT $2`,
    );
    await near(
      `SELECT 'escalation' AS kind, o.org_id AS "orgId", o.approval_id AS "approvalId", o.next_escalation_at AS at,
              a.version, a.traceparent
         FROM open_request o JOIN approval a USING (org_id, approval_id)
        WHERE o.next_escalation_at > statement_timestamp()
          AND o.next_escalation_at <= statement_timestamp() + make_interval(secs => $1)
        ORDER BY o.next_escalation_at LIMIT $2`,
    );
  };
