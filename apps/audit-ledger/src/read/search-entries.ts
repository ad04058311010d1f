import {
  type AuditEvent,
  type auditLedgerCommands,
  type CommandRequest,
  type CommandResponse,
  Refused,
} from '@agentlattice/contracts';
import { type Disclosed, leafHash, parseEntry } from '@agentlattice/ledger';
import type pg from 'pg';
import { parseDisclosed } from '../domain/commitments.js';
import { parseRecorded } from '../domain/recorded.js';
import { replyBytes } from './read-entries.js';

type Search = typeof auditLedgerCommands.search;

interface Row {
  readonly seq: string;
  readonly bytes: Buffer;
  readonly content: string | null;
  readonly record: string | null;
}

const columns = {
  event_id: 'id',
  approval_id: 'approval_id',
  agent_id: 'agent_id',
  action_type: 'action_type',
  type: 'type',
  decision: 'decision',
  operator_id: 'operator_id',
  policy_id: 'policy_id',
} as const;

/**
 * Entries joined with their remaining erasable values, newest first. The content comes from the hashed bytes, never from
 * another column.
 */
export async function searchEntries(
  pool: pg.Pool,
  request: CommandRequest<Search>,
): Promise<CommandResponse<Search>> {
  const { org_id, cursor, limit, from_time, to_time } = request;
  const values: unknown[] = [org_id, limit + 1, replyBytes];
  const conditions = ['e.org_id = $1'];
  const where = (sql: (parameter: string) => string, value: unknown) => {
    values.push(value);
    conditions.push(sql(`$${String(values.length)}`));
  };
  for (const [name, column] of Object.entries(columns)) {
    const value = request[name as keyof typeof columns];
    if (value === undefined) continue;
    // The database cannot store NUL, so no entry has one in a column.
    if (value.includes('\0')) return { events: [], next_cursor: null };
    const delegates =
      name === 'agent_id' && request.with_delegates === true && (await hasDelegates(pool, org_id, value));
    where(
      (parameter) =>
        delegates
          ? `(e.agent_id = ${parameter} OR e.agent_id IN (
               SELECT d.agent_id FROM delegated_agent d WHERE d.org_id = $1 AND d.ancestor_id = ${parameter}))`
          : `e.${column} = ${parameter}`,
      value,
    );
  }
  if (from_time !== undefined) where((parameter) => `e.time >= ${parameter}::timestamptz`, from_time);
  if (to_time !== undefined) where((parameter) => `e.time < ${parameter}::timestamptz`, to_time);
  if (cursor !== null) where((parameter) => `e.seq < ${parameter}::bigint`, position(cursor));
  const { rows } = await pool.query<Row & { total: string }>(
    `SELECT seq, bytes, content, record, total FROM (
       SELECT *, count(*) OVER () AS total, row_number() OVER newest AS place,
              sum(octet_length(bytes) + coalesce(octet_length(content), 0)) OVER newest AS so_far
         FROM (SELECT e.seq, e.bytes, p.content, s.record
                 FROM entry e LEFT JOIN private_value p ON p.entry_id = e.id
                              LEFT JOIN submission s ON s.entry_id = e.id
                WHERE ${conditions.join(' AND ')} ORDER BY e.seq DESC LIMIT $2) page
       WINDOW newest AS (ORDER BY seq DESC)) counted
      WHERE so_far <= $3 OR place = 1 ORDER BY seq DESC`,
    values,
  );
  // One row more than requested was read; a page may also end early, where a message would be too large.
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const complete = last === undefined || Number(last.total) === shown.length;
  return { events: shown.map(auditEventOf), next_cursor: complete ? null : cursorOf(Number(last.seq)) };
}

/** Few agents have any; for the others one index gives the page in order. */
async function hasDelegates(pool: pg.Pool, orgId: string, agentId: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    'SELECT FROM delegated_agent WHERE org_id = $1 AND ancestor_id = $2 LIMIT 1',
    [orgId, agentId],
  );
  return rowCount === 1;
}

const cursorOf = (seq: number) => Buffer.from(`seq:${String(seq)}`).toString('base64url');

function position(cursor: string): number {
  const match = /^seq:(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (match === null)
    throw new Refused('VALIDATION_FAILED', 'the cursor is not valid', {
      errors: [{ pointer: '/cursor', detail: 'is not a next_cursor of this list' }],
    });
  return Number(match[1]);
}

function auditEventOf({ bytes, content, record }: Row): AuditEvent {
  const entry = parseEntry(bytes);
  const disclosed = content === null ? {} : parseDisclosed(content);
  const outcome = record === null ? null : parseRecorded(record).outcome;
  const value = (field: keyof Disclosed): unknown => {
    const found = disclosed[field];
    return found === undefined ? null : JSON.parse(found.value);
  };
  const { agent, policy, operator } = entry;
  return {
    id: entry.id,
    seq: entry.seq,
    leaf_hash: leafHash(bytes).toString('hex'),
    type: entry.type,
    decision: entry.decision,
    status: entry.decision ?? entry.type.slice(entry.type.lastIndexOf('.') + 1),
    denial_reason: outcome?.denial_reason ?? null,
    action_type: entry.action_type,
    timestamp: entry.time,
    created_at: entry.time,
    agent,
    agent_id: agent?.id ?? null,
    agent_name: agent?.name ?? null,
    operator: operator === null ? null : { ...operator, name: null },
    reason: value('reason') as string | null,
    note: value('note') as string | null,
    resolved_by: entry.resolved_by,
    policy,
    policy_id: policy?.id ?? null,
    policy_name: policy?.name ?? null,
    policy_version: policy === null ? null : String(policy.version),
    approval_id: entry.approval_id,
    correlation_id: entry.correlation_id,
    source: entry.source,
    source_seq: entry.source_seq,
    metadata: (value('metadata') ?? {}) as Record<string, unknown>,
    data_accessed: (value('data_accessed') ?? []) as unknown[],
  };
}
