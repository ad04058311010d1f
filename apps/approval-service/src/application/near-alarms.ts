import type pg from 'pg';
import type { AlarmClock } from '../outbound/deadline-alarms.js';
import { findNearAlarms } from '../outbound/due-requests.js';

/**
 * An alarm is set once its time is this near. A timer for each request from its opening would cost more than opening the
 * request, and most requests are decided long before.
 */
const nearMs = 60_000;
/** Every near deadline is found in three runs. */
export const nearAlarmsEveryMs = nearMs / 3;
const pageSize = 5_000;

export const isNear = (at: Date, now: Date) => at.getTime() - now.getTime() <= nearMs;

/** Sets the alarms of near deadlines and escalations; setting one again changes nothing. */
export const makeSetNearAlarms =
  ({ pool, alarms }: { pool: pg.Pool; alarms: AlarmClock }) =>
  async (): Promise<void> => {
    for (const page of await findNearAlarms(pool, nearMs, pageSize)) alarms.set(page);
  };
