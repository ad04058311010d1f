import type pg from 'pg';
import { leavesIn, type Leaves } from '../domain/compare-values.js';
import { type AskHistory, type Ended, historyDays, repeatMinutes } from '../domain/cues.js';
import type { ApprovalRow } from './approval-row.js';

/** The last request of the same kind that was approved; `values` null where they were erased or are too large. */
export interface LastApproved {
  readonly approvalId: string;
  readonly decidedAt: Date;
  readonly values: Leaves | null;
}
export interface ReadHistory extends AskHistory {
  readonly lastApproved: LastApproved | null;
}

/** Larger values are not compared. */
export const mostComparedBytes = 16 * 1024;
const mostEnded = 100;
/** Of so many requests before one, those for exactly the same action are counted. */
const mostOfLate = 200;

interface EndedRow {
  readonly n: number;
  readonly approval_id: string;
  readonly status: string;
  readonly by_person: boolean;
  readonly resolved_at: Date;
  readonly metadata: string | null;
}

/**
 * What the agents of these requests asked before, in two queries for a page. Of a request that has ended: what was known when
 * it ended.
 */
export async function readAskHistories(
  pool: pg.Pool,
  rows: readonly ApprovalRow[],
  now: Date,
): Promise<ReadHistory[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const kinds = new Map(rows.map((row) => [kindOf(row, now), row]));
  const [ended, before] = await Promise.all([
    readEnded(pool, first.org_id, [...kinds.values()], now),
    readBefore(pool, first.org_id, rows),
  ]);
  const byKind = new Map([...kinds.keys()].map((kind, i) => [kind, ended.get(i + 1) ?? noHistory]));
  return rows.map((row) => ({
    ...(byKind.get(kindOf(row, now)) ?? noHistory),
    askedBefore: before.get(row.approval_id)?.asked_before ?? false,
    sameOfLate: before.get(row.approval_id)?.same ?? 0,
  }));
}

type OfKind = Pick<ReadHistory, 'ended' | 'lastApproved'>;
const noHistory: OfKind = { ended: [], lastApproved: null };

const untilOf = ({ resolved_at }: ApprovalRow, now: Date) => resolved_at ?? now;
/** Requests of one kind share a history. */
const kindOf = (row: ApprovalRow, now: Date) =>
  JSON.stringify([row.agent_id, row.action_type, untilOf(row, now).getTime()]);

/** By the place of the kind, from 1. */
async function readEnded(
  pool: pg.Pool,
  orgId: string,
  kinds: readonly ApprovalRow[],
  now: Date,
): Promise<ReadonlyMap<number, OfKind>> {
  // Of an open request every other one is earlier. A bound that excludes none makes the planner take an index of all requests.
  const untilAsked = kinds.some(({ resolved_at }) => resolved_at !== null);
  const { rows } = await pool.query<EndedRow>(
    `SELECT k.n::int, h.approval_id, h.status, h.resolved_by IS NOT NULL AS by_person, h.resolved_at,
            CASE WHEN h.status = 'approved' THEN
              (SELECT v.metadata FROM private_value v
                WHERE v.org_id = $1 AND v.approval_id = h.approval_id
                  AND octet_length(v.metadata) <= ${String(mostComparedBytes)}) END AS metadata
       FROM unnest($2::text[], $3::text[], $4::timestamptz[]) WITH ORDINALITY AS k (agent_id, action_type, until, n)
      CROSS JOIN LATERAL (
        SELECT a.approval_id, a.status, a.resolved_by, a.resolved_at FROM approval a
         WHERE a.org_id = $1 AND a.agent_id = k.agent_id AND a.action_type = k.action_type
           AND a.created_at > k.until - interval '${String(historyDays)} days' ${untilAsked ? 'AND a.created_at <= k.until' : ''}
           AND a.resolved_at < k.until
         ORDER BY a.created_at DESC, a.approval_id DESC LIMIT ${String(mostEnded)}) AS h
      ORDER BY k.n`,
    [
      orgId,
      kinds.map(({ agent_id }) => agent_id),
      kinds.map(({ action_type }) => action_type),
      kinds.map((row) => untilOf(row, now)),
    ],
  );
  return new Map([...Map.groupBy(rows, ({ n }) => n)].map(([n, own]) => [n, historyOf(own)]));
}

function historyOf(rows: readonly EndedRow[]): OfKind {
  const ended = rows.map((row): Ended & { readonly row: EndedRow } => ({
    row,
    status: row.status,
    byPerson: row.by_person,
    values: row.metadata === null ? null : leavesIn(JSON.parse(row.metadata)),
  }));
  const last = ended.find(({ status }) => status === 'approved');
  return {
    ended,
    lastApproved:
      last === undefined
        ? null
        : { approvalId: last.row.approval_id, decidedAt: last.row.resolved_at, values: last.values },
  };
}

async function readBefore(pool: pg.Pool, orgId: string, rows: readonly ApprovalRow[]) {
  const { rows: found } = await pool.query<{ approval_id: string; asked_before: boolean; same: number }>(
    `SELECT k.approval_id,
            EXISTS (SELECT FROM approval a
                     WHERE a.org_id = $1 AND a.agent_id = k.agent_id AND a.action_type = k.action_type
                       AND (a.created_at, a.approval_id) < (k.created_at, k.approval_id)
                       AND a.created_at > k.created_at - interval '${String(historyDays)} days') AS asked_before,
            (SELECT count(*)::int FROM (
               SELECT a.action_digest FROM approval a
                WHERE a.org_id = $1 AND a.agent_id = k.agent_id AND a.action_type = k.action_type
                  AND (a.created_at, a.approval_id) <= (k.created_at, k.approval_id)
                  AND a.created_at > k.created_at - interval '${String(repeatMinutes)} minutes'
                ORDER BY a.created_at DESC, a.approval_id DESC LIMIT ${String(mostOfLate)}) AS late
              WHERE late.action_digest = k.action_digest) AS same
       FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
         AS k (approval_id, agent_id, action_type, created_at, action_digest)`,
    [
      orgId,
      rows.map(({ approval_id }) => approval_id),
      rows.map(({ agent_id }) => agent_id),
      rows.map(({ action_type }) => action_type),
      rows.map(({ created_at }) => created_at),
      rows.map(({ action_digest }) => action_digest),
    ],
  );
  return new Map(found.map((row) => [row.approval_id, row]));
}
