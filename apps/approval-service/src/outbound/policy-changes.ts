import type { ApprovalTerms } from '@agentlattice/contracts';
import type { ProjectedEvent, Queryable, Statement, Tx } from '@agentlattice/event-store';
import { policyChangeTypes } from '../domain/policy-change-note.js';
import type { OpenableItem } from './approval-rows.js';

type PolicyEvent = Extract<ProjectedEvent, { type: (typeof policyChangeTypes)[number] }>;

const isPolicyEvent = (event: ProjectedEvent): event is PolicyEvent =>
  (policyChangeTypes as readonly string[]).includes(event.type);

/** A request judged within this time after a change was noted may have been judged without it: an engine is at most a second behind. */
const judgedBeforeMs = 2_000;

/** The changed policy may govern the request, or may have governed it. */
export const concerns = (change: string, request: string) =>
  `(${change}.policy_id = ${request}.policy_id
    OR pattern_matches(${change}.pattern, ${request}.action_type)
    OR pattern_matches(${change}.previous_pattern, ${request}.action_type))`;

/**
 * Transactions that open requests of a workspace share its lock; a transaction that notes a change of its policies holds it
 * exclusively. So one of the two sees the other: no request is opened during a change without being judged again.
 */
export function lockPoliciesStatement(orgIds: readonly string[], mode: 'shared' | 'exclusive'): Statement {
  const lock = mode === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  return {
    text: `WITH ordered AS MATERIALIZED (
       SELECT DISTINCT hashtextextended(org_id, 7155) AS hash FROM unnest($1::text[]) AS org_id ORDER BY hash)
     SELECT count(${lock}(hash)::text) FROM ordered`,
    values: [orgIds],
  };
}

/** Stores changes of policies, in the transaction that stores the position of their events. */
export async function notePolicyChanges(tx: Tx, events: readonly ProjectedEvent[]): Promise<void> {
  const changes = events.filter(isPolicyEvent);
  const locking = lockPoliciesStatement(
    changes.map((event) => event.org_id),
    'exclusive',
  );
  await tx.query(locking.text, [...locking.values]);
  for (const { org_id, event_id, type, data, correlation_id, traceparent } of changes)
    await tx.query(
      `INSERT INTO policy_change (org_id, event_id, type, policy_id, policy_name, policy_version, pattern,
                                  previous_pattern, on_removed, governs, correlation_id, traceparent)
       SELECT $1, $2, $3, $4, $5, $6, $7,
              (SELECT pattern FROM policy_change WHERE org_id = $1 AND policy_id = $4 ORDER BY seq DESC LIMIT 1),
              $8, $9, $10, $11
       ON CONFLICT (event_id) DO NOTHING`,
      [
        org_id,
        event_id,
        type,
        data.policy_id,
        data.name,
        data.version,
        data.content.action_type,
        data.content.on_removed,
        type !== 'policy.deleted' &&
          type !== 'policy.deactivated' &&
          data.content.active &&
          data.content.mode === 'enforce',
        correlation_id,
        traceparent,
      ],
    );
}

/** Notes just opened requests whose judgement may be older than the newest change: they are judged again. */
export function noteOpenedDuringChangeStatement(items: readonly OpenableItem[]): Statement {
  return {
    text: `INSERT INTO rejudging (org_id, approval_id, change_seq, created_at)
     SELECT r.org_id, r.approval_id, c.seq, r.created_at
       FROM jsonb_to_recordset($1::jsonb)
         AS r (org_id text, approval_id text, action_type text, policy_id text, judged_at timestamptz,
               created_at timestamptz)
      CROSS JOIN LATERAL (
        SELECT max(c.seq) AS seq FROM policy_change c
         WHERE c.org_id = r.org_id AND c.noted_at > r.judged_at - make_interval(secs => $2)
           AND ${concerns('c', 'r')}) AS c
      WHERE c.seq IS NOT NULL
     ON CONFLICT DO NOTHING`,
    values: [
      JSON.stringify(
        items.map(({ org_id, approval_id, action_type, policy, judged_at, requested_at }: OpenableItem) => ({
          org_id,
          approval_id,
          action_type,
          policy_id: policy.id,
          judged_at,
          created_at: requested_at,
        })),
      ),
      judgedBeforeMs / 1_000,
    ],
  };
}

/**
 * Notes every pending request that an unspread change concerns, with its newest change: it is judged again. A claim on such a
 * request ends, because its run may get a judgement without the new change.
 */
export async function fanOutPolicyChanges(db: Queryable): Promise<void> {
  await db.query(
    `WITH change AS (
       UPDATE policy_change SET spread = true
        WHERE seq IN (SELECT seq FROM policy_change WHERE NOT spread ORDER BY seq FOR NO KEY UPDATE)
       RETURNING *)
     INSERT INTO rejudging (org_id, approval_id, change_seq, created_at)
     SELECT a.org_id, a.approval_id, max(c.seq), a.created_at
       FROM change c
       JOIN open_request o ON o.org_id = c.org_id
       JOIN approval a ON a.org_id = o.org_id AND a.approval_id = o.approval_id AND ${concerns('c', 'a')}
      GROUP BY a.org_id, a.approval_id
      ORDER BY a.org_id, a.approval_id
     ON CONFLICT (org_id, approval_id)
       DO UPDATE SET change_seq = excluded.change_seq, claim_id = NULL, claimed_until = NULL
           WHERE rejudging.change_seq < excluded.change_seq`,
  );
}

export interface KnownRemoval {
  readonly approval_id: string;
  /** From the newest version of the policy that governed it. */
  readonly on_removed: ApprovalTerms['on_removed'];
  /** Whether that version no longer governs it. */
  readonly removed: boolean;
}

/**
 * The known versions of the policies that governed these requests; the engine may be ahead of its events. A separate
 * statement, so that it sees every change for which the requests are noted.
 */
export async function findKnownRemovals(
  tx: Tx,
  orgId: string,
  approvalIds: readonly string[],
): Promise<KnownRemoval[]> {
  const { rows } = await tx.query<KnownRemoval>(
    `SELECT a.approval_id, n.on_removed, NOT (n.governs AND pattern_matches(n.pattern, a.action_type)) AS removed
       FROM unnest($2::text[]) AS k (approval_id)
       JOIN approval a ON a.org_id = $1 AND a.approval_id = k.approval_id
      CROSS JOIN LATERAL (
        SELECT on_removed, governs, pattern FROM policy_change
         WHERE org_id = $1 AND policy_id = a.policy_id ORDER BY seq DESC LIMIT 1) AS n`,
    [orgId, approvalIds],
  );
  return rows;
}

/** The newest version known here of each policy. */
export async function findKnownVersions(
  tx: Tx,
  orgId: string,
  policyIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ policy_id: string; version: number }>(
    `SELECT k.policy_id, n.policy_version AS version
       FROM (SELECT DISTINCT unnest($2::text[]) AS policy_id) k
      CROSS JOIN LATERAL (
        SELECT policy_version FROM policy_change
         WHERE org_id = $1 AND policy_id = k.policy_id ORDER BY seq DESC LIMIT 1) AS n`,
    [orgId, policyIds],
  );
  return new Map(rows.map(({ policy_id, version }) => [policy_id, version]));
}
