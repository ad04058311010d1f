import type { Actor, PolicyView } from '@agentlattice/contracts';
import type { Logger } from '@agentlattice/observability';
import type { WrittenWith } from '../outbound/project-policy.js';
import { type Seatable, unfillableSeats } from '../domain/unfillable-quorum.js';

export interface WarnOfUnfillableQuorumPorts {
  readonly membersOf: (orgId: string) => Promise<readonly Seatable[]>;
  /** Whether the gateway told of all members within that time. */
  readonly membersHeardWithin: (ms: number) => Promise<boolean>;
  readonly logger: Logger;
}

/** Below what the gateway waits for an answer. */
const withinMs = 800;

/**
 * Adds to a policy just written what its workspace cannot give that it asks for (decisions §4.5). Where the members are
 * not known there is no warning, and the policy stands in any case.
 */
export const makeWarnOfUnfillableQuorum =
  ({ membersOf, membersHeardWithin, logger }: WarnOfUnfillableQuorumPorts) =>
  async (orgId: string, policy: PolicyView, by: { actor: Actor } & WrittenWith): Promise<PolicyView> => {
    try {
      const authors = [by.actor.kind === 'operator' ? by.actor.id : by.written_by, ...(by.key_holders ?? [])];
      const look = async () => {
        const members = await membersOf(orgId);
        // Every workspace has somebody: nothing was heard of this one yet.
        return members.length === 0 ? [] : unfillableSeats(policy, members, authors);
      };
      if ((await look()).length === 0 || !(await membersHeardWithin(withinMs))) return policy;
      const warnings = await look();
      return warnings.length === 0 ? policy : { ...policy, warnings };
    } catch (error) {
      logger.warn({ err: error, org_id: orgId }, 'whether anybody can decide under a policy is not known');
      return policy;
    }
  };
export type WarnOfUnfillableQuorum = ReturnType<typeof makeWarnOfUnfillableQuorum>;
