import type pg from 'pg';

/** The streams of a workspace whose newest event is a detection of tampering. */
export async function openTamperings(pool: pg.Pool, orgId: string): Promise<string[]> {
  const { rows } = await pool.query<{ stream_id: string }>(
    `SELECT stream_id FROM (
       SELECT DISTINCT ON (stream_id) stream_id, type FROM event
        WHERE org_id = $1 AND stream_id LIKE 'tampering:%' ORDER BY stream_id, version DESC) newest
      WHERE type = 'policy.tampering_detected'`,
    [orgId],
  );
  return rows.map((row) => row.stream_id);
}
