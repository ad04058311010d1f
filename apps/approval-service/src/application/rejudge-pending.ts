import { policyEngineCommands, Unavailable } from '@agentlattice/contracts';
import { type EventStore, inTransaction, type StoredEvent, type Tx } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import type { ApprovalCommand } from '../domain/approval-decider.js';
import { readApprovalEvent, storedApprovalDecider } from '../domain/stored-approval-decider.js';
import type { Judgement } from '../domain/decide-judgement.js';
import { noteOf } from '../domain/policy-change-note.js';
import { setNextEscalations } from '../outbound/escalation-times.js';
import {
  dropRejudgings,
  type KnownRemoval,
  knownRemovals,
  knownVersions,
  type Rejudging,
  spreadPolicyChanges,
  takeRejudgings,
  workspacesToRejudge,
} from '../outbound/policy-changes.js';
import { projectApprovals } from '../outbound/project-approvals.js';
import { showConditions } from '../outbound/approval-rows.js';
import { wakeWaiters, type Waker } from '../outbound/wake-waiters.js';

export interface RejudgePendingPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly commands: CommandClient;
  readonly nc: Waker;
  readonly grantTtlSeconds: number;
  /** Hears which requests other terms govern now. */
  readonly governedAnew: (requests: readonly { org_id: string; approval_id: string }[]) => void;
  readonly logger: Logger;
}

type JudgedRequest = Awaited<ReturnType<typeof judge>>[number];
type Judged = JudgedRequest & { readonly on_removed: KnownRemoval['on_removed'] | null };

/** NATS takes 1 MiB a message, and text in JSON may become twice as long; one request alone always fits. */
const maxBytes = 384 * 1024;
const system = { kind: 'system', id: null, key_id: null, via: 'system' } as const;

/**
 * Judges pending requests again after the policies changed, oldest first, each batch in one commit with what it came
 * to. Nothing is decided without a judgement: while the engine is away, all stays as it is. Several may do this at
 * the same time, and any may die: what is not done is noted, and done again it changes nothing.
 * @returns whether there was anything to do
 */
export const makeRejudgePending = (ports: RejudgePendingPorts) => async (): Promise<boolean> => {
  const { pool, logger } = ports;
  const failed = new Set<string>();
  let found = false;
  // A batch of each workspace in turn: one with many requests does not keep the others waiting.
  for (;;) {
    await spreadPolicyChanges(pool);
    let done = 0;
    for (const orgId of await workspacesToRejudge(pool)) {
      found = true;
      if (failed.has(orgId)) continue;
      try {
        done += await rejudgeBatch(orgId, ports);
      } catch (error) {
        failed.add(orgId);
        const level = error instanceof Unavailable ? 'debug' : 'error';
        logger[level]({ err: error, org_id: orgId }, 'pending requests are not judged again yet');
      }
    }
    if (done === 0) return found;
  }
};
export type RejudgePending = ReturnType<typeof makeRejudgePending>;

/** @returns how many are done */
async function rejudgeBatch(orgId: string, ports: RejudgePendingPorts): Promise<number> {
  const { pool, nc, logger } = ports;
  const { done, events } = await inTransaction(pool, async (tx) => {
    const taken = await takeRejudgings(tx, orgId);
    const ended = taken.filter(({ open }) => !open);
    const open = taken.filter((one) => one.open);
    // A condition on what is missing might hold and let the action through: no judgement, it goes on waiting.
    const erased = open.filter((one) => !isWhole(one));
    for (const { approval_id } of erased)
      logger.warn(
        { org_id: orgId, approval_id },
        'what was submitted is erased; the request is not judged again and waits for a person',
      );
    const judged = await judge(orgId, open.filter(isWhole), ports);
    const explained = await explainedBy(tx, orgId, judged);
    const appended = explained.length === 0 ? [] : await apply(tx, orgId, explained, ports);
    const ids = [...ended, ...erased, ...judged].map(({ approval_id }) => approval_id);
    await dropRejudgings(tx, orgId, ids);
    return { done: ids.length, events: appended };
  });
  wakeWaiters(nc, events);
  ports.governedAnew(
    events
      .filter(({ type }) => type === 'approval.policy_changed')
      .map(({ org_id, stream_id: approval_id }) => ({ org_id, approval_id })),
  );
  return done;
}

/**
 * Those whose judgement follows from changes that are known here. The engine may be ahead of its own events: what it
 * judged by a change that is still on its way is left to that change, which says why and what becomes of the request.
 */
async function explainedBy(tx: Tx, orgId: string, judged: readonly JudgedRequest[]): Promise<Judged[]> {
  if (judged.length === 0) return [];
  const removals = await knownRemovals(
    tx,
    orgId,
    judged.map(({ approval_id }) => approval_id),
  );
  const removalOf = new Map(removals.map((removal) => [removal.approval_id, removal]));
  const versions = await knownVersions(
    tx,
    orgId,
    judged.flatMap(({ judgement: { policy } }) => (policy === null ? [] : [policy.id])),
  );
  return judged.flatMap((request) => {
    const { policy, denial_reason } = request.judgement;
    const removal = removalOf.get(request.approval_id);
    const isExplained =
      denial_reason === 'POLICY_NOT_FOUND'
        ? removal?.removed !== false
        : policy === null || (versions.get(policy.id) ?? policy.version) >= policy.version;
    return isExplained ? [{ ...request, on_removed: removal?.on_removed ?? null }] : [];
  });
}

type Whole = Rejudging & { readonly metadata: string; readonly data_accessed: string };
const isWhole = (request: Rejudging): request is Whole =>
  request.metadata !== null && request.data_accessed !== null;

/** As many as one message holds; the others' turn comes. */
async function judge(orgId: string, requests: readonly Whole[], { commands }: RejudgePendingPorts) {
  let bytes = 0;
  const asked = requests.filter(({ metadata, data_accessed }, i) => {
    bytes += Buffer.byteLength(metadata) + Buffer.byteLength(data_accessed);
    return i === 0 || bytes <= maxBytes;
  });
  const [first] = asked;
  if (first === undefined) return [];
  const { judgements } = await commands.request(
    policyEngineCommands.rejudge,
    {
      org_id: orgId,
      items: asked.map(({ approval_id, agent, action_type, metadata, data_accessed, judged_at }) => ({
        approval_id,
        agent,
        action_type,
        metadata,
        data_accessed,
        judged_at,
      })),
    },
    { traceparent: first.traceparent },
  );
  const byId = new Map(judgements.map((judgement) => [judgement.approval_id, judgement]));
  const judged = asked.flatMap((request) => {
    const judgement = byId.get(request.approval_id);
    return judgement === undefined ? [] : [{ ...request, judgement }];
  });
  if (judged.length === 0) throw new Unavailable('the policy engine judged none of what it was asked');
  return judged;
}

async function apply(
  tx: Tx,
  orgId: string,
  judged: readonly Judged[],
  { store, grantTtlSeconds }: RejudgePendingPorts,
): Promise<readonly StoredEvent[]> {
  const byId = new Map(judged.map((one) => [one.approval_id, one]));
  const { states, events } = await store.updateManyIn(tx, {
    decider: storedApprovalDecider,
    streams: judged.map(({ approval_id, correlation_id, traceparent, judgement, change, on_removed }) => ({
      orgId,
      streamId: approval_id,
      meta: { actor: system, correlation_id, traceparent },
      judgement: judgement as Judgement,
      change,
      on_removed,
    })),
    command: (now, { judgement, change, on_removed }): ApprovalCommand => ({
      type: 'ApplyJudgement',
      judgement,
      change,
      onRemoved: on_removed,
      grantExpiresAt: new Date(now.getTime() + grantTtlSeconds * 1_000),
      now,
    }),
    erasable: (event, { judgement, change }) => ({
      note: noteOf(readApprovalEvent(event), judgement, change),
    }),
    project: projectApprovals,
  });
  await setNextEscalations(
    tx,
    states.map((state) => ({ orgId, state })),
  );
  const governedAnew = events.filter(({ type }) => type === 'approval.policy_changed');
  await showConditions(
    tx,
    orgId,
    governedAnew.map(({ stream_id }) => ({
      approval_id: stream_id,
      conditions_evaluated: byId.get(stream_id)?.judgement.conditions_evaluated ?? [],
    })),
  );
  return events;
}
