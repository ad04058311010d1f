import {
  type CommandRequest,
  type CommandResponse,
  type auditLedgerCommands,
  Refused,
} from '@agentlattice/contracts';
import type pg from 'pg';

type Entries = typeof auditLedgerCommands.entries;

/** NATS takes 1 MiB, and entries are written as JSON text once more. */
export const replyBytes = 512 * 1024;

/** The canonical bytes of a log's entries from `from` on; fewer than requested if they would not fit a message. */
export async function readEntries(
  pool: pg.Pool,
  { org_id, from, limit }: CommandRequest<Entries>,
): Promise<CommandResponse<Entries>> {
  const size = await logSize(pool, org_id);
  const { rows } = await pool.query<{ bytes: Buffer }>(
    `SELECT bytes FROM (
       SELECT seq, bytes, sum(octet_length(bytes)) OVER (ORDER BY seq) AS so_far FROM (
         SELECT seq, bytes FROM entry WHERE org_id = $1 AND seq >= $2 ORDER BY seq LIMIT $3) page) counted
      WHERE so_far <= $4 OR seq = $2 ORDER BY seq`,
    [org_id, from, limit, replyBytes],
  );
  return { entries: rows.map(({ bytes }) => bytes.toString('utf8')), size };
}

/** @throws Refused NOT_FOUND for a workspace that has no log */
export async function logSize(pool: pg.Pool, orgId: string): Promise<number> {
  const { rows } = await pool.query<{ size: string }>('SELECT size FROM log WHERE org_id = $1', [orgId]);
  const [row] = rows;
  if (row === undefined) throw new Refused('NOT_FOUND', 'the workspace has no audit log');
  return Number(row.size);
}
