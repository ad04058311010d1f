import type { ApprovalTerms, PolicyChange } from '@agentlattice/contracts';
import type { ProjectedEvent, Queryable, Statement, Tx } from '@agentlattice/event-store';
import { policyChangeTypes } from '../domain/policy-change-note.js';
import type { OpenableItem } from './approval-rows.js';

type PolicyEvent = Extract<ProjectedEvent, { type: (typeof policyChangeTypes)[number] }>;

const isPolicyEvent = (event: ProjectedEvent): event is PolicyEvent =>
  (policyChangeTypes as readonly string[]).includes(event.type);

/** How long before a change was noted a request may have been judged without it: an engine is at most a second behind. */
const judgedBeforeMs = 2_000;
const pageSize = 100;

/** The changed policy may govern the request, or may have governed it. */
const concerns = (change: string, request: string) =>
  `(${change}.policy_id = ${request}.policy_id
    OR pattern_matches(${change}.pattern, ${request}.action_type)
    OR pattern_matches(${change}.previous_pattern, ${request}.action_type))`;

/**
 * Whoever opens requests of a workspace holds its lock with others who open; whoever notes a change holds it alone. So
 * the one or the other sees both: no request is opened beside a change without anybody noticing.
 */
export function lockingPolicies(orgIds: readonly string[], mode: 'shared' | 'alone'): Statement {
  const lock = mode === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  return {
    text: `WITH ordered AS MATERIALIZED (
       SELECT DISTINCT hashtextextended(org_id, 7155) AS hash FROM unnest($1::text[]) AS org_id ORDER BY hash)
     SELECT count(${lock}(hash)::text) FROM ordered`,
    values: [orgIds],
  };
}

/** Notes what changed, in the transaction that remembers the events. */
export async function notePolicyChanges(tx: Tx, events: readonly ProjectedEvent[]): Promise<void> {
  const changes = events.filter(isPolicyEvent);
  const locking = lockingPolicies(
    changes.map((event) => event.org_id),
    'alone',
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

/** Notes requests just opened that were judged too early to be sure that the newest change was known. */
export function notingOpenedBesideChange(items: readonly OpenableItem[]): Statement {
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
 * Spreads new changes over the pending requests that they concern; each is left with the newest one. It may wait for a
 * replica that asks the engine about some of them, and nobody waits for it: the changes' keys stay open to others.
 */
export async function spreadPolicyChanges(db: Queryable): Promise<void> {
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
       DO UPDATE SET change_seq = greatest(rejudging.change_seq, excluded.change_seq)`,
  );
}

/** A request that waits to be judged again, as it was submitted, and why. */
export interface Rejudging {
  readonly approval_id: string;
  /** False once it ended: then nothing is left to do. */
  readonly open: boolean;
  readonly action_type: string;
  readonly agent: OpenableItem['agent'];
  readonly judged_at: string;
  /** Null when it was erased. */
  readonly metadata: string | null;
  readonly data_accessed: string | null;
  readonly change: PolicyChange;
  readonly correlation_id: string | null;
  readonly traceparent: string | null;
}

export async function workspacesToRejudge(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ org_id: string }>('SELECT DISTINCT org_id FROM rejudging');
  return rows.map((row) => row.org_id);
}

/** The oldest ones that nobody else is at; nobody else gets them before the transaction ends. */
export async function takeRejudgings(tx: Tx, orgId: string): Promise<Rejudging[]> {
  const { rows } = await tx.query<Rejudging>(
    `WITH taken AS MATERIALIZED (
       SELECT * FROM rejudging WHERE org_id = $1 ORDER BY created_at, approval_id LIMIT $2 FOR UPDATE SKIP LOCKED)
     SELECT r.approval_id, a.status IN ('pending', 'escalated') AS open, a.action_type,
            e.data -> 'agent' AS agent, e.data ->> 'judged_at' AS judged_at,
            v.metadata, v.data_accessed,
            jsonb_build_object('event_id', c.event_id, 'type', c.type, 'policy_id', c.policy_id,
                               'policy_name', c.policy_name, 'policy_version', c.policy_version) AS change,
            c.correlation_id, c.traceparent
       FROM taken r
      -- OFFSET 0: row by row by its key. Without fresh statistics the planner would read all of both tables.
      CROSS JOIN LATERAL (
        SELECT status, action_type FROM approval WHERE org_id = $1 AND approval_id = r.approval_id OFFSET 0) AS a
      CROSS JOIN LATERAL (
        SELECT data FROM event WHERE org_id = $1 AND stream_id = r.approval_id AND version = 1 OFFSET 0) AS e
       LEFT JOIN LATERAL (
        SELECT metadata, data_accessed FROM private_value
         WHERE org_id = $1 AND approval_id = r.approval_id OFFSET 0) AS v ON true
       JOIN policy_change c ON c.seq = r.change_seq
      ORDER BY r.created_at, r.approval_id`,
    [orgId, pageSize],
  );
  return rows;
}

export interface KnownRemoval {
  readonly approval_id: string;
  /** Of the newest version of the policy that governed it. */
  readonly on_removed: ApprovalTerms['on_removed'];
  /** Whether that version does not govern it any more. */
  readonly removed: boolean;
}

/**
 * What is known here of the policies that governed these requests. The engine may be ahead of its events. In a
 * statement of its own, so that it sees every change that the requests are noted for.
 */
export async function knownRemovals(
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
export async function knownVersions(
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

/** Done; only those taken in the same transaction. */
export async function dropRejudgings(tx: Tx, orgId: string, approvalIds: readonly string[]): Promise<void> {
  await tx.query('DELETE FROM rejudging WHERE org_id = $1 AND approval_id = ANY ($2)', [orgId, approvalIds]);
}
