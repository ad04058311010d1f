import type pg from 'pg';

/** The age of the oldest entry that no checkpoint covers, in seconds; 0 when every log is signed to its end. */
export async function unsignedSeconds(pool: Pick<pg.Pool, 'query'>): Promise<number> {
  const { rows } = await pool.query<{ seconds: number | null }>(
    `SELECT extract(epoch FROM clock_timestamp() - min(e.time))::float8 AS seconds
       FROM log l
       LEFT JOIN LATERAL (SELECT size FROM checkpoint c WHERE c.org_id = l.org_id ORDER BY size DESC LIMIT 1) c ON true
       JOIN entry e ON e.org_id = l.org_id AND e.seq = coalesce(c.size, 0)
      WHERE l.size > coalesce(c.size, 0)`,
  );
  return Math.max(0, rows[0]?.seconds ?? 0);
}
