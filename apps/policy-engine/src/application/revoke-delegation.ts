import type { CommandRequest, CommandResponse, policyEngineCommands } from '@agentlattice/contracts';
import { inTransaction } from '@agentlattice/event-store';
import { type DelegationCommand, delegationDecider, mayRevoke, noDelegation } from '../domain/delegation.js';
import { liveBelow, lockTree, placeOf } from '../outbound/delegation-trees.js';
import { loadDelegations } from '../outbound/load-delegations.js';
import { projectDelegations } from '../outbound/project-delegations.js';
import type { DelegationPorts } from './create-delegation.js';

type Revoke = typeof policyEngineCommands.revoke_delegation;

/**
 * Revokes a delegation and all below it, each with its event, in one commit. Revoking again changes nothing.
 * @throws Refused NOT_FOUND, also for an agent that is not above it
 */
export const makeRevokeDelegation =
  ({ pool, store, caughtUp }: Omit<DelegationPorts, 'reader'>) =>
  async (
    { org_id, actor, correlation_id, delegation_id, agent_id }: CommandRequest<Revoke>,
    traceparent: string | null,
  ): Promise<CommandResponse<Revoke>> => {
    const meta = { actor, correlation_id, traceparent };
    const status = await inTransaction(pool, async (tx) => {
      const place = await placeOf(tx, org_id, delegation_id);
      if (place === null) throw noDelegation();
      await lockTree(tx, org_id, place.root_agent_id);
      const [before] = await loadDelegations(tx, org_id, [delegation_id]);
      if (before === undefined || before.status === 'none') throw noDelegation();
      if (agent_id !== null && !mayRevoke(agent_id, before)) throw noDelegation();
      const below = await liveBelow(tx, org_id, place.root_agent_id, delegation_id);
      const { states } = await store.updateMany({
        tx,
        decider: delegationDecider,
        streams: [delegation_id, ...below].map((streamId) => ({ orgId: org_id, streamId, meta })),
        command: (now, { streamId }): DelegationCommand => ({
          type: 'RevokeDelegation',
          revokedWith: streamId === delegation_id ? null : delegation_id,
          now,
        }),
        project: projectDelegations,
      });
      return states[0]?.status;
    });
    await caughtUp();
    return { revoked: status === 'revoked', delegation_id };
  };
export type RevokeDelegation = ReturnType<typeof makeRevokeDelegation>;
