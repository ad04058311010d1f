/** Session advisory lock of the one writer of a shard of logs. */
export const writerLock = 715_402_010;
export const shard = 0;
/** Held by a writer that stops, until its connection ends. */
export const stoppingLock = 715_402_011;
/** Held by the one instance that takes the commands of a writer that stops. */
export const takingLock = 715_402_012;

const ofDatabase = `l.locktype = 'advisory' AND l.objid::int = $2::int AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** The sessions that hold a lock of ours. */
export const heldLocks = `SELECT FROM pg_locks l WHERE l.classid::int = $1::int AND ${ofDatabase}`;

/** A writer asks the database something this often, also when it has nothing to write. */
export const signOfLifeMs = 2_000;
/** After this time without a sign of life a writer hangs: it was stopped, its machine sleeps, or its event loop is blocked. */
export const hangsAfterMs = 10_000;

/**
 * Ends the session of a writer, or of an instance that takes over from it, that hangs with its connection open: its system answers
 * PostgreSQL, so nothing else would end it, and every submission would be refused for as long. When it goes on, it finds its connection
 * closed. One that waits for the database is `active` and is left alone.
 */
export const endHungWriter = `SELECT pg_terminate_backend(l.pid)
   FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.classid::int = ANY ($1::int[]) AND ${ofDatabase} AND pg_has_role(a.usesysid, 'USAGE')
    AND a.state = 'idle' AND a.state_change < clock_timestamp() - make_interval(secs => $3::float / 1000)`;
