import type { EventData, PolicyChange } from '@agentlattice/contracts';
import type { Queryable, Tx } from '@agentlattice/event-store';
import type { RecordedEvent } from '../domain/replay-approval.js';
import { openedEventColumn, openedEventOf } from './opened-event.js';
import { concerns } from './policy-changes.js';

const pageSize = 100;

/** Rows of a claim, locked in the same order by all statements, so that they wait for each other and never deadlock. */
const own = `own AS MATERIALIZED (
       SELECT approval_id FROM rejudging WHERE org_id = $1 AND claim_id = $2 AND approval_id = ANY ($3)
        ORDER BY approval_id FOR UPDATE)`;

/** Rows of `rejudging` that one run holds: no other run judges them again before the claim is released or has expired. */
export interface Claim {
  readonly orgId: string;
  /** Unique to the run. */
  readonly claimId: string;
}

/** A request to be judged again, as it was submitted, with the change. */
export interface ClaimedRejudging {
  readonly approval_id: string;
  /** False once it has ended; then there is nothing to do. */
  readonly open: boolean;
  /** The version of its stream when it was claimed. */
  readonly version: number;
  readonly action_type: string;
  /** Null when it cannot be read. */
  readonly opened: EventData<'approval.opened'> | null;
  /** Null when it was erased. */
  readonly metadata: string | null;
  readonly data_accessed: string | null;
  /** bigint: pg gives text. */
  readonly change_seq: string;
  readonly change: PolicyChange;
  readonly correlation_id: string | null;
  readonly traceparent: string | null;
}

interface ClaimedRow extends Omit<ClaimedRejudging, 'opened'> {
  readonly opened_event: Required<RecordedEvent>;
}

export async function findWorkspacesToRejudge(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ org_id: string }>('SELECT DISTINCT org_id FROM rejudging');
  return rows.map((row) => row.org_id);
}

/** Claims the oldest rows of the workspace that no run holds. A run that dies loses its claim after `leaseMs`. */
export async function claimRejudgings(
  db: Queryable,
  { orgId, claimId }: Claim,
  leaseMs: number,
): Promise<ClaimedRejudging[]> {
  const { rows } = await db.query<ClaimedRow>(
    `WITH free AS MATERIALIZED (
       SELECT approval_id FROM rejudging
        WHERE org_id = $1 AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
        ORDER BY created_at, approval_id LIMIT $2 FOR UPDATE SKIP LOCKED),
     claimed AS MATERIALIZED (
       UPDATE rejudging r SET claim_id = $3, claimed_until = clock_timestamp() + make_interval(secs => $4)
         FROM free WHERE r.org_id = $1 AND r.approval_id = free.approval_id
       RETURNING r.*)
     SELECT r.approval_id, a.status IN ('pending', 'escalated') AS open, l.version, a.action_type,
            ${openedEventColumn} AS opened_event, v.metadata, v.data_accessed, r.change_seq,
            jsonb_build_object('event_id', c.event_id, 'type', c.type, 'policy_id', c.policy_id,
                               'policy_name', c.policy_name, 'policy_version', c.policy_version) AS change,
            c.correlation_id, c.traceparent
       FROM claimed r
      -- OFFSET 0: row by row by its key. Without fresh statistics the planner would read all of both tables.
      CROSS JOIN LATERAL (
        SELECT status, action_type FROM approval WHERE org_id = $1 AND approval_id = r.approval_id OFFSET 0) AS a
      CROSS JOIN LATERAL (
        SELECT type, schema_version, data FROM event
         WHERE org_id = $1 AND stream_id = r.approval_id AND version = 1 OFFSET 0) AS e
      CROSS JOIN LATERAL (
        SELECT version FROM event WHERE org_id = $1 AND stream_id = r.approval_id
         ORDER BY version DESC LIMIT 1) AS l
       LEFT JOIN LATERAL (
        SELECT metadata, data_accessed FROM private_value
         WHERE org_id = $1 AND approval_id = r.approval_id OFFSET 0) AS v ON true
       JOIN policy_change c ON c.seq = r.change_seq
      ORDER BY r.created_at, r.approval_id`,
    [orgId, pageSize, claimId, leaseMs / 1_000],
  );
  return rows.map(({ opened_event, ...row }) => ({ ...row, opened: openedEventOf(opened_event) }));
}

/**
 * Locks those claimed rows that a judgement may be applied to. Left out are rows that another run has claimed since, and
 * requests that a newer change of policies concerns: the judgement may not know it.
 */
export async function lockClaimed(
  tx: Tx,
  { orgId, claimId }: Claim,
  claimed: readonly Pick<ClaimedRejudging, 'approval_id' | 'change_seq'>[],
): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ approval_id: string }>(
    `SELECT r.approval_id
       FROM (SELECT * FROM unnest($3::text[], $4::bigint[]) AS k (approval_id, change_seq) LIMIT $5) AS k
       JOIN rejudging r ON r.org_id = $1 AND r.approval_id = k.approval_id
       JOIN approval a ON a.org_id = $1 AND a.approval_id = k.approval_id
      WHERE r.claim_id = $2 AND r.change_seq = k.change_seq
        AND NOT EXISTS (
          SELECT FROM policy_change c
           WHERE NOT c.spread AND c.org_id = $1 AND c.seq > r.change_seq AND ${concerns('c', 'a')})
      ORDER BY r.approval_id
        FOR UPDATE OF r`,
    [
      orgId,
      claimId,
      claimed.map(({ approval_id }) => approval_id),
      claimed.map(({ change_seq }) => change_seq),
      claimed.length,
    ],
  );
  return new Set(rows.map(({ approval_id }) => approval_id));
}

/** Removes rows that are done. A row that was claimed by another run since, or that a newer change concerns, stays. */
export async function deleteClaimed(
  db: Queryable,
  { orgId, claimId }: Claim,
  approvalIds: readonly string[],
): Promise<void> {
  if (approvalIds.length === 0) return;
  await db.query(
    `WITH ${own} DELETE FROM rejudging r USING own WHERE r.org_id = $1 AND r.approval_id = own.approval_id`,
    [orgId, claimId, approvalIds],
  );
}

/** Releases the rows of a claim, so that they can be claimed again at once. */
export async function releaseClaim(
  db: Queryable,
  { orgId, claimId }: Claim,
  approvalIds: readonly string[],
): Promise<void> {
  await db.query(
    `WITH ${own} UPDATE rejudging r SET claim_id = NULL, claimed_until = NULL
       FROM own WHERE r.org_id = $1 AND r.approval_id = own.approval_id`,
    [orgId, claimId, approvalIds],
  );
}
