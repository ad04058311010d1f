import type { auditLedgerCommands, CommandRequest, CommandResponse } from '@agentlattice/contracts';
import type pg from 'pg';
import { parseDisclosed } from '../domain/commitments.js';
import { logSize, replyBytes } from './read-entries.js';

type Read = typeof auditLedgerCommands.disclosed;

interface Row {
  readonly seq: string;
  readonly id: string;
  readonly content: string | null;
}

/** The erasable values that remain of the entries from `from` on; those of fewer entries than requested if they would not fit a message. */
export async function readDisclosed(
  pool: pg.Pool,
  { org_id, from, limit }: CommandRequest<Read>,
): Promise<CommandResponse<Read>> {
  const size = await logSize(pool, org_id);
  const { rows } = await pool.query<Row>(
    `SELECT seq, id, content FROM (
       SELECT seq, id, content, sum(coalesce(octet_length(content), 0)) OVER (ORDER BY seq) AS so_far FROM (
         SELECT e.seq, e.id, p.content FROM entry e LEFT JOIN private_value p ON p.entry_id = e.id
          WHERE e.org_id = $1 AND e.seq >= $2 ORDER BY e.seq LIMIT $3) page) counted
      WHERE so_far <= $4 OR seq = $2 ORDER BY seq`,
    [org_id, from, limit, replyBytes],
  );
  const last = rows.at(-1);
  return {
    contents: rows.flatMap(({ seq, id, content }) =>
      content === null ? [] : [{ seq: Number(seq), id, fields: parseDisclosed(content) }],
    ),
    next: last === undefined ? Math.min(from, size) : Number(last.seq) + 1,
  };
}
