import type { Queryable } from '@agentlattice/event-store';

/** The database's clock, which decides deadlines. */
export async function databaseNow(db: Queryable): Promise<Date> {
  const { rows } = await db.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  const [row] = rows;
  if (row === undefined) throw new Error('the database did not say its time');
  return row.now;
}
