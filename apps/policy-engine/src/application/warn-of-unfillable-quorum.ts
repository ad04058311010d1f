import type { Actor, PolicyView } from '@agentlattice/contracts';
import type { Logger } from '@agentlattice/observability';
import type { WrittenWith } from '../outbound/project-policy.js';
import { type Seatable, unfillableSeats } from '../domain/unfillable-quorum.js';

export interface WarnOfUnfillableQuorumPorts {
  readonly membersOf: (orgId: string) => Promise<readonly Seatable[]>;
  /** Whether all members of the gateway are known here within that time. */
  readonly membersKnownWithin: (ms: number) => Promise<boolean>;
  readonly logger: Logger;
}

/** Below the time that the gateway waits for an answer. */
const withinMs = 800;

/**
 * Adds warnings to a policy that was just written when the members of its workspace cannot fill its quorum (decisions §4.5).
 * When the members are not known there is no warning. The policy is in force in any case.
 */
export const makeWarnOfUnfillableQuorum =
  ({ membersOf, membersKnownWithin, logger }: WarnOfUnfillableQuorumPorts) =>
  async (orgId: string, policy: PolicyView, by: { actor: Actor } & WrittenWith): Promise<PolicyView> => {
    try {
      const authors = [by.actor.kind === 'operator' ? by.actor.id : by.written_by, ...(by.key_holders ?? [])];
      const look = async () => {
        const members = await membersOf(orgId);
        // Every workspace has members, so those of this one are not known yet.
        return members.length === 0 ? [] : unfillableSeats(policy, members, authors);
      };
      if ((await look()).length === 0 || !(await membersKnownWithin(withinMs))) return policy;
      const warnings = await look();
      return warnings.length === 0 ? policy : { ...policy, warnings };
    } catch (error) {
      logger.warn(
        { err: error, org_id: orgId },
        'it is unknown whether any member can decide under a policy',
      );
      return policy;
    }
  };
export type WarnOfUnfillableQuorum = ReturnType<typeof makeWarnOfUnfillableQuorum>;
