import {
  type approvalServiceCommands,
  type CommandRequest,
  type CommandResponse,
  type ConsumedGrant,
  gatewayCommands,
  policyEngineCommands,
  Refused,
  Unavailable,
} from '@agentlattice/contracts';
import { type EventMeta, type EventStore, inTransaction } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { GrantClaims, GrantSigner } from '@agentlattice/service';
import type pg from 'pg';
import { approvalDecider } from '../domain/approval-decider.js';
import { replayApproval } from '../domain/replay-approval.js';
import {
  checkUsable,
  type ConsumeGrant,
  type GrantUse,
  alreadyConsumed,
} from '../domain/decide-consumption.js';
import { type ApprovedAction, findApprovedAction } from '../outbound/approved-action.js';
import { findKnownRemovals } from '../outbound/policy-changes.js';
import { projectApprovals } from '../outbound/project-approvals.js';

type Request = CommandRequest<(typeof approvalServiceCommands)['consume_grant']>;
type Judgement = CommandResponse<(typeof policyEngineCommands)['rejudge']>['judgements'][number];

export interface ConsumeGrantPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly grants: Pick<GrantSigner, 'verify'>;
  readonly commands: CommandClient;
}

/** How long the gateway waits for an answer; afterwards it answers that nothing was consumed. */
const consumptionWaitMs = 2_000;
/** For the answers of the gateway and the policy-engine, which are asked at the same time. */
const answerWithinMs = 1_200;

/**
 * Consumes a grant. Asks for the agent's standing and the verdict of the policies outside of the transaction; the stream's
 * lock and its unique version let one of several callers succeed. While the gateway or the policy-engine is unreachable,
 * nothing is consumed. Callers with one grant take turns in this process, so that after the first success the others are
 * refused without queries.
 */
export const makeConsumeGrant = (ports: ConsumeGrantPorts) => {
  const queues = new Map<string, Queue>();
  /** @throws Refused by `decideConsumption`; Unavailable */
  return async (request: Request, traceparent: string | null): Promise<ConsumedGrant> => {
    const until = performance.now() + consumptionWaitMs;
    const claims = claimsIn(request, ports.grants);
    const key = `${request.org_id}/${claims.approval_id}`;
    const queue = queues.get(key) ?? { last: Promise.resolve(), consumed: false };
    queues.set(key, queue);
    const turn = queue.last
      .catch(() => {})
      .then(() => inTurn(queue, { request, claims, traceparent, until }, ports));
    queue.last = turn;
    return turn.finally(() => {
      if (queue.last === turn) queues.delete(key);
    });
  };
};
export type ConsumeGrantOnce = ReturnType<typeof makeConsumeGrant>;

type ApprovalClaims = GrantClaims & { readonly approval_id: string };

interface Consuming {
  readonly request: Request;
  readonly claims: ApprovalClaims;
  readonly traceparent: string | null;
  /** Monotonic. */
  readonly until: number;
}

/** The callers with one grant, which take turns. */
interface Queue {
  last: Promise<unknown>;
  /** Set once the consumption is on disk: waiting callers are then refused without a query. */
  consumed: boolean;
}

async function inTurn(queue: Queue, consuming: Consuming, ports: ConsumeGrantPorts): Promise<ConsumedGrant> {
  const { request, claims } = consuming;
  if (queue.consumed && request.action_digest === claims.action_digest) throw alreadyConsumed();
  try {
    const consumed = await consumeOnce(consuming, ports);
    queue.consumed = true;
    return consumed;
  } catch (error) {
    queue.consumed ||= error instanceof Refused && error.code === 'GRANT_CONSUMED';
    throw error;
  }
}

/** A grant of another signer, another workspace or another agent is refused as one that does not exist. */
function claimsIn({ org_id, agent_id, grant }: Request, grants: ConsumeGrantPorts['grants']): ApprovalClaims {
  const claims = grants.verify(grant);
  if (claims?.org_id !== org_id || claims.approval_id === null) throw unknown();
  if (agent_id !== null && agent_id !== claims.sub) throw unknown();
  return { ...claims, approval_id: claims.approval_id };
}

async function consumeOnce(consuming: Consuming, ports: ConsumeGrantPorts): Promise<ConsumedGrant> {
  const { request, claims, traceparent, until } = consuming;
  const { pool, store, commands } = ports;
  const { org_id } = request;
  const { approval_id } = claims;
  checkPatience(until);
  const use: GrantUse = {
    grant: { digest: claims.action_digest, expiresAt: new Date(claims.exp * 1_000), jti: claims.jti },
    digest: request.action_digest,
  };
  const [action, history] = await Promise.all([
    findApprovedAction(pool, org_id, approval_id),
    store.load(org_id, approval_id),
  ]);
  if (action === null) throw unknown();
  checkUsable(use, replayApproval(history), action.now);
  const [{ suspended }, deniedBy] = await Promise.all([
    commands.request(
      gatewayCommands.agent_standing,
      { org_id, agent_id: claims.sub },
      { timeoutMs: answerWithinMs, traceparent },
    ),
    deniedByPolicies(consuming, action, ports),
  ]);
  const { events } = await store.update({
    decider: approvalDecider,
    orgId: org_id,
    streamId: approval_id,
    command: (now: Date): ConsumeGrant => {
      checkPatience(until);
      return { ...use, type: 'ConsumeGrant', agentSuspended: suspended, deniedBy, now };
    },
    meta: metaOf(request, traceparent),
    project: projectApprovals,
  });
  const [consumed] = events;
  if (consumed === undefined) throw new Error('the consumption of a grant made no event');
  return {
    status: 'consumed',
    approval_id,
    audit_event_id: claims.event_id,
    agent_id: claims.sub,
    action_type: claims.action_type,
    action_digest: claims.action_digest,
    consumed_at: consumed.occurred_at.toISOString(),
  };
}

async function deniedByPolicies(
  { request: { org_id }, claims: { approval_id }, traceparent }: Consuming,
  { judged, onRemoved }: ApprovedAction,
  { pool, commands }: ConsumeGrantPorts,
): Promise<ConsumeGrant['deniedBy']> {
  if (judged === null)
    throw new Refused(
      'GRANT_NOT_AVAILABLE',
      'the submitted values are erased, so the action cannot be judged any more',
    );
  const { judgements } = await commands.request(
    policyEngineCommands.rejudge,
    { org_id, items: [judged] },
    { timeoutMs: answerWithinMs, traceparent },
  );
  const [judgement] = judgements;
  if (judgement?.approval_id !== approval_id)
    throw new Unavailable('the policy engine judged another action than it was asked about');
  if (judgement.decision !== 'denied') return null;
  if (judgement.denial_reason === 'POLICY_NOT_FOUND') {
    // `on_removed` of the newest version of the removed policy decides.
    const [removal] = await inTransaction(pool, (tx) => findKnownRemovals(tx, org_id, [approval_id]));
    if ((removal?.on_removed ?? onRemoved) !== 'deny') return null;
  }
  return denial(judgement);
}

const denial = ({ denial_reason, policy }: Judgement) => ({
  reason: denial_reason ?? ('POLICY_DENIED' as const),
  policyName: policy?.name ?? null,
});

/** An agent with its own key, or the executor of the action with a service key. */
const metaOf = ({ agent_id, key_id, correlation_id }: Request, traceparent: string | null): EventMeta => ({
  actor: { kind: agent_id === null ? 'service' : 'agent', id: agent_id, key_id, via: 'api' },
  correlation_id,
  traceparent,
});

function checkPatience(until: number): void {
  if (performance.now() > until) throw new Unavailable('it waited too long');
}

const unknown = () => new Refused('NOT_FOUND', 'there is no such grant in this workspace');
