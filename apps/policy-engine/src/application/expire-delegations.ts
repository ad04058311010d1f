import type { EventStore } from '@agentlattice/event-store';
import type pg from 'pg';
import { delegationDecider } from '../domain/delegation.js';
import { overdue } from '../outbound/delegation-trees.js';
import { projectDelegations } from '../outbound/project-delegations.js';

const atOnce = 200;
/** Longer than the longest pause of the sweep. */
const soonMs = 10_000;
const system = { kind: 'system', id: null, key_id: null, via: 'system' } as const;

export interface ExpireDelegationsPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
}

/**
 * Records delegations that are over as expired. Verdicts do not wait for it: they compare the time themselves.
 * @returns whether there was one, or soon will be
 */
export const makeExpireDelegations =
  ({ pool, store }: ExpireDelegationsPorts) =>
  async (): Promise<boolean> => {
    const { due, soon } = await overdue(pool, { limit: atOnce, soonMs });
    if (due.length > 0)
      await store.updateMany({
        decider: delegationDecider,
        streams: due.map(({ org_id: orgId, delegation_id: streamId }) => ({
          orgId,
          streamId,
          meta: { actor: system, correlation_id: null, traceparent: null },
        })),
        command: (now) => ({ type: 'ExpireDelegation', now }),
        project: projectDelegations,
      });
    return soon;
  };
