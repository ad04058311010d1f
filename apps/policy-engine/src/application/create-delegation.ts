import {
  type CommandRequest,
  type DelegationView,
  type policyEngineCommands,
  Refused,
} from '@agentlattice/contracts';
import { type EventStore, inTransaction } from '@agentlattice/event-store';
import type pg from 'pg';
import { type DelegationCommand, delegationDecider } from '../domain/delegation.js';
import { countLive, lockTree, placeOf } from '../outbound/delegation-trees.js';
import { loadDelegations } from '../outbound/load-delegations.js';
import { projectDelegations } from '../outbound/project-delegations.js';
import type { DelegationReader } from '../read/delegation-reader.js';

export interface DelegationPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly reader: Pick<DelegationReader, 'get'>;
  /** Waits until this replica judges by the change. */
  readonly caughtUp: () => Promise<unknown>;
}

type Request = CommandRequest<typeof policyEngineCommands.create_delegation>;

/**
 * Writes a delegation. It is on disk, and in force at this replica, when this resolves; every other replica has it within a
 * second. @throws Refused DELEGATION_SCOPE or DELEGATION_LIMIT
 */
export const makeCreateDelegation =
  ({ pool, store, reader, caughtUp }: DelegationPorts) =>
  async (request: Request, traceparent: string | null): Promise<DelegationView> => {
    const { org_id, actor, correlation_id, delegation_id, parent, parent_delegation_id, child } = request;
    await inTransaction(pool, async (tx) => {
      const place = parent_delegation_id === null ? null : await placeOf(tx, org_id, parent_delegation_id);
      if (parent_delegation_id !== null && place === null)
        throw new Refused('DELEGATION_SCOPE', 'the delegation of this agent does not exist');
      const root = place?.root_agent_id ?? parent.id;
      await lockTree(tx, org_id, root);
      const ids = parent_delegation_id === null ? [] : [...(place?.above ?? []), parent_delegation_id];
      const chain = await loadDelegations(tx, org_id, ids);
      const liveInTree = await countLive(tx, org_id, root);
      await store.updateMany({
        tx,
        decider: delegationDecider,
        streams: [{ orgId: org_id, streamId: delegation_id, meta: { actor, correlation_id, traceparent } }],
        command: (now): DelegationCommand => ({
          type: 'CreateDelegation',
          id: delegation_id,
          child,
          parent: { agent: parent, chain },
          capabilities: request.capabilities,
          ttlSeconds: request.ttl_seconds,
          liveInTree,
          now,
        }),
        project: projectDelegations,
      });
    });
    await caughtUp();
    return reader.get(org_id, delegation_id);
  };
export type MakeDelegation = ReturnType<typeof makeCreateDelegation>;
