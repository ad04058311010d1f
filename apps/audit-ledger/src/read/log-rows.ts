import type pg from 'pg';

/** A row of a log as a check reads it: the hashed bytes, the stored hash, and the erasable values. */
export interface LogRow {
  readonly id: string;
  readonly bytes: Buffer;
  readonly leaf_hash: Buffer;
  readonly content: string | null;
}

/** The rows of a log from `from` on, before `end`, in order. */
export async function readLogRows(
  pool: pg.Pool,
  { orgId, from, end, limit }: { orgId: string; from: number; end: number; limit: number },
): Promise<readonly LogRow[]> {
  const { rows } = await pool.query<LogRow>(
    `SELECT e.id, e.bytes, e.leaf_hash, p.content FROM entry e LEFT JOIN private_value p ON p.entry_id = e.id
      WHERE e.org_id = $1 AND e.seq >= $2 AND e.seq < $3 ORDER BY e.seq LIMIT $4`,
    [orgId, from, end, limit],
  );
  return rows;
}

/** The id of the row at a position of a log, from 0; null when there is none. */
export async function entryIdAt(pool: pg.Pool, orgId: string, place: number): Promise<string | null> {
  const { rows } = await pool.query<{ id: string }>(
    'SELECT id FROM entry WHERE org_id = $1 ORDER BY seq OFFSET $2 LIMIT 1',
    [orgId, place],
  );
  return rows[0]?.id ?? null;
}
