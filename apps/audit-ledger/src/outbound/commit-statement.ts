import { encodeRange } from '@agentlattice/ledger';
import pg from 'pg';
import { EventKeyTaken, WriterLost } from '../domain/commit-store.js';
import type { LogHeads, Staged } from '../domain/log-heads.js';

// One statement, one round trip, one commit. Columns are sent as lines of text: none of them can contain a line feed
// (canonical JSON has none, ids and types are checked), and an empty line is NULL.
const list = (n: number) => `string_to_array($${String(n)}, E'\\n', '')`;

/** Everything depends on the first row: with a stale epoch or position nothing is written. */
export const commitStatement = `
WITH writer_row AS (
  UPDATE writer SET gpos = $2, time_ms = $3 WHERE shard = 0 AND epoch = $1 AND gpos = $4 RETURNING 1
), head AS (
  INSERT INTO log AS l (org_id, origin, size, grown, last_hash, frontier, positions)
  SELECT org_id, origin, size::bigint, grown::integer, last_hash, decode(frontier, 'hex'), positions
    FROM unnest(${[6, 7, 8, 9, 10, 11, 12].map(list).join(', ')})
      AS n (org_id, origin, size, grown, last_hash, frontier, positions)
   WHERE EXISTS (SELECT FROM writer_row)
  ON CONFLICT (org_id) DO UPDATE
     SET size = excluded.size, grown = excluded.grown, last_hash = excluded.last_hash,
         frontier = excluded.frontier, positions = excluded.positions
   WHERE l.size = excluded.size - excluded.grown AND l.origin = excluded.origin
  RETURNING 1
), moved AS MATERIALIZED (
  SELECT CASE WHEN NOT EXISTS (SELECT FROM writer_row) THEN false
              WHEN (SELECT count(*) FROM head) = $5::integer THEN true
              ELSE refuse_commit('the head of a log is not where the writer left it') END AS ok
), line AS MATERIALIZED (
  SELECT * FROM unnest(${Array.from({ length: 20 }, (_, i) => list(13 + i)).join(', ')})
    AS n (org_id, seq, id, gpos, bytes, leaf, type, time, source, action_type, agent_id, decision, operator_id,
          policy_id, approval_id, content, event_key, digest, record, submitter)
   WHERE (SELECT ok FROM moved)
), entries AS (
  INSERT INTO entry (org_id, seq, id, gpos, bytes, leaf_hash, type, time, source, action_type, agent_id, decision,
                     operator_id, policy_id, approval_id)
  SELECT org_id, seq::bigint, id, gpos::bigint, convert_to(bytes, 'UTF8'), decode(leaf, 'hex'), type,
         time::timestamptz, source, action_type, agent_id, decision, operator_id, policy_id, approval_id
    FROM line
), contents AS (
  INSERT INTO private_value (entry_id, org_id, content)
  SELECT id, org_id, content FROM line WHERE content IS NOT NULL
), submissions AS (
  INSERT INTO submission (entry_id, org_id, seq, agent_id, event_key, action_digest, approval_id, record)
  SELECT id, org_id, seq::bigint, submitter, event_key, digest, approval_id, record FROM line WHERE digest IS NOT NULL
), reports AS (
  INSERT INTO report (entry_id, org_id, action_id, status)
  SELECT entry_id, org_id, action_id, status
    FROM unnest(${[35, 36, 37, 38].map(list).join(', ')}) AS n (entry_id, org_id, action_id, status)
   WHERE (SELECT ok FROM moved)
), delegated AS (
  INSERT INTO delegated_agent (org_id, ancestor_id, agent_id)
  SELECT org_id, above ->> 'id', agent_id
    FROM (SELECT * FROM line WHERE type = 'delegation.created' AND agent_id IS NOT NULL) AS made
   CROSS JOIN LATERAL jsonb_array_elements(made.bytes::jsonb -> 'delegation' -> 'chain') AS above
   WHERE above ->> 'id' <> agent_id
  ON CONFLICT DO NOTHING
), positions AS (
  INSERT INTO source_position (source, gpos)
  SELECT source, gpos::bigint FROM unnest(${list(33)}, ${list(34)}) AS n (source, gpos)
   WHERE (SELECT ok FROM moved)
  ON CONFLICT (source) DO UPDATE SET gpos = excluded.gpos
)
SELECT ok, extract(epoch FROM clock_timestamp()) * 1000 AS now FROM moved`;

// Null and undefined become empty lines.
const lines = <T>(rows: readonly T[], column: (row: T) => string | number | null | undefined): string =>
  rows.map(column).join('\n');

/** The parameters of the statement. */
export function commitParameters(epoch: string, before: LogHeads, staged: Staged): (string | number)[] {
  const { rows } = staged;
  const grown = [...staged.grown];
  const reports = rows.filter(({ report }) => report !== null);
  const moved = [...staged.sources].filter(([source, gpos]) => before.sources.get(source) !== gpos);
  return [
    epoch,
    staged.gpos,
    staged.timeMs,
    before.gpos,
    grown.length,
    lines(grown, ([orgId]) => orgId),
    lines(grown, ([, { end }]) => end.head.log),
    lines(grown, ([, { end }]) => end.head.size),
    lines(grown, ([, { by }]) => by),
    lines(grown, ([, { end }]) => end.head.lastHash),
    lines(grown, ([, { end }]) => encodeRange(end.tree).toString('hex')),
    lines(grown, ([, { end }]) => JSON.stringify(end.positions)),
    lines(rows, ({ entry }) => entry.org_id),
    lines(rows, ({ entry }) => entry.seq),
    lines(rows, ({ entry }) => entry.id),
    lines(rows, ({ gpos }) => gpos),
    lines(rows, ({ text }) => text),
    lines(rows, ({ leaf }) => leaf.toString('hex')),
    lines(rows, ({ entry }) => entry.type),
    lines(rows, ({ entry }) => entry.time),
    lines(rows, ({ entry }) => entry.source),
    lines(rows, ({ entry }) => column(entry.action_type)),
    lines(rows, ({ entry }) => column(entry.agent?.id)),
    lines(rows, ({ entry }) => entry.decision),
    lines(rows, ({ entry }) => column(entry.operator?.id)),
    lines(rows, ({ entry }) => column(entry.policy?.id)),
    lines(rows, ({ entry }) => column(entry.approval_id)),
    lines(rows, ({ content }) => (hasContent(content) ? JSON.stringify(content) : null)),
    lines(rows, ({ submission }) => submission?.eventKey),
    lines(rows, ({ submission }) => submission?.actionDigest),
    lines(rows, ({ submission }) => (submission === null ? null : JSON.stringify(submission.recorded))),
    lines(rows, ({ entry, submission }) => (submission === null ? null : entry.agent?.id)),
    lines(moved, ([source]) => source),
    lines(moved, ([, gpos]) => gpos),
    lines(reports, ({ entry }) => entry.id),
    lines(reports, ({ entry }) => entry.org_id),
    lines(reports, ({ report }) => report?.actionId),
    lines(reports, ({ report }) => report?.status),
  ];
}

const hasContent = (content: object) => {
  for (const _ in content) return true;
  return false;
};

/** A text with a line feed is not searchable; the entry's bytes contain it unchanged. */
const column = (value: string | null | undefined) =>
  value === null || value === undefined || /\p{Cc}/u.test(value) || !value.isWellFormed() ? null : value;

/**
 * Every error counts as a loss of the writer, except one that shows that nothing was written and that we are still the
 * writer.
 */
export function commitFault(error: unknown): Error {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  if (code === '23505' && constraint === 'submission_event_key') return new EventKeyTaken();
  const fromStatement = error instanceof pg.DatabaseError && !/^(08|57P)/.test(String(code));
  if (fromStatement) return error;
  return new WriterLost('the connection was lost during a commit', { cause: error });
}
