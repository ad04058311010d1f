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
import type { ConsumeGrant } from '../domain/decide-consumption.js';
import { type ApprovedAction, findApprovedAction } from '../outbound/approved-action.js';
import { knownRemovals } from '../outbound/policy-changes.js';
import { projectApprovals } from '../outbound/project-approvals.js';

type Request = CommandRequest<(typeof approvalServiceCommands)['consume_grant']>;
type Judgement = CommandResponse<(typeof policyEngineCommands)['rejudge']>['judgements'][number];

export interface ConsumeGrantPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly grants: Pick<GrantSigner, 'verify'>;
  readonly commands: CommandClient;
}

/** How long the gateway waits for an answer; after that it has said that nothing was done. */
const patienceMs = 2_000;
/** For the gateway and the engine, which are asked at the same time. */
const answerWithinMs = 1_200;

/**
 * Uses a grant up. The agent's standing and the policies are asked for at this moment and outside of the transaction;
 * the stream's lock and its unique version say who of many is the one. While one of those who must be asked is away,
 * nothing is consumed.
 */
export const makeConsumeGrant =
  ({ pool, store, grants, commands }: ConsumeGrantPorts) =>
  /** @throws Refused as `decideConsumption` says; Unavailable */
  async (request: Request, traceparent: string | null): Promise<ConsumedGrant> => {
    const until = performance.now() + patienceMs;
    const { org_id } = request;
    const { approvalId, claims } = read(request);
    const action = await findApprovedAction(pool, org_id, approvalId);
    if (action === null) throw unknown();
    const [{ suspended }, deniedBy] = await Promise.all([
      commands.request(
        gatewayCommands.agent_standing,
        { org_id, agent_id: claims.sub },
        { timeoutMs: answerWithinMs, traceparent },
      ),
      deniedByPolicies(action),
    ]);
    const { events } = await store.update({
      decider: approvalDecider,
      orgId: org_id,
      streamId: approvalId,
      command: (now: Date): ConsumeGrant => {
        if (performance.now() > until) throw new Unavailable('it waited too long');
        return {
          type: 'ConsumeGrant',
          grant: { digest: claims.action_digest, expiresAt: new Date(claims.exp * 1_000), jti: claims.jti },
          digest: request.action_digest,
          agentSuspended: suspended,
          deniedBy,
          now,
        };
      },
      meta: metaOf(request, traceparent),
      project: projectApprovals(),
    });
    const [consumed] = events;
    if (consumed === undefined) throw new Error('a grant that was consumed left no event');
    return {
      status: 'consumed',
      approval_id: approvalId,
      audit_event_id: claims.event_id,
      agent_id: claims.sub,
      action_type: claims.action_type,
      action_digest: claims.action_digest,
      consumed_at: consumed.occurred_at.toISOString(),
    };

    /** What is no grant of ours, of this workspace, or of the agent that asks does not exist for it. */
    function read({ grant, agent_id }: Request): { approvalId: string; claims: GrantClaims } {
      const claims = grants.verify(grant);
      if (claims?.org_id !== org_id || claims.approval_id === null) throw unknown();
      if (agent_id !== null && agent_id !== claims.sub) throw unknown();
      return { approvalId: claims.approval_id, claims };
    }

    async function deniedByPolicies({
      judged,
      onRemoved,
    }: ApprovedAction): Promise<ConsumeGrant['deniedBy']> {
      if (judged === null)
        throw new Refused(
          'GRANT_NOT_AVAILABLE',
          'what was submitted is erased, so nobody can judge it any more',
        );
      const { judgements } = await commands.request(
        policyEngineCommands.rejudge,
        { org_id, items: [judged] },
        { timeoutMs: answerWithinMs, traceparent },
      );
      const [judgement] = judgements;
      if (judgement?.approval_id !== approvalId)
        throw new Unavailable('the policy engine judged another action than it was asked about');
      if (judgement.decision !== 'denied') return null;
      if (judgement.denial_reason === 'POLICY_NOT_FOUND' && (await removedAs(onRemoved)) !== 'deny')
        return null;
      return denial(judgement);
    }

    /** What is to become of requests whose policy is gone, as its newest version says. */
    async function removedAs(asRequested: ApprovedAction['onRemoved']): Promise<ApprovedAction['onRemoved']> {
      const [removal] = await inTransaction(pool, (tx) => knownRemovals(tx, org_id, [approvalId]));
      return removal?.on_removed ?? asRequested;
    }
  };
export type ConsumeGrantOnce = ReturnType<typeof makeConsumeGrant>;

const denial = ({ denial_reason, policy }: Judgement) => ({
  reason: denial_reason ?? ('POLICY_DENIED' as const),
  policyName: policy?.name ?? null,
});

/** An agent by its own key, or whatever executes the action by a service key. */
const metaOf = ({ agent_id, key_id, correlation_id }: Request, traceparent: string | null): EventMeta => ({
  actor: { kind: agent_id === null ? 'service' : 'agent', id: agent_id, key_id, via: 'api' },
  correlation_id,
  traceparent,
});

const unknown = () => new Refused('NOT_FOUND', 'there is no such grant in this workspace');
