import type { Actor, PolicyView } from '@agentlattice/contracts';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import type { WrittenWith } from '../outbound/project-policy.js';
import { type Seatable, unfillableSeats } from '../domain/unfillable-quorum.js';

export interface WarnOfUnfillableQuorumPorts {
  readonly pool: pg.Pool;
  /** Whether the gateway told of all members within that time. */
  readonly membersHeardWithin: (ms: number) => Promise<boolean>;
  readonly logger: Logger;
}

/** Below what the gateway waits for an answer. */
const withinMs = 800;

/**
 * Adds to a policy just written what its workspace cannot give that it asks for (decisions §4.5). Who cannot know does not
 * warn, and the policy stands whatever comes of this.
 */
export const makeWarnOfUnfillableQuorum =
  ({ pool, membersHeardWithin, logger }: WarnOfUnfillableQuorumPorts) =>
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

    async function membersOf(org: string): Promise<Seatable[]> {
      const { rows } = await pool.query<Seatable>(
        'SELECT member_id, role, groups FROM member_role WHERE org_id = $1',
        [org],
      );
      return rows;
    }
  };
export type WarnOfUnfillableQuorum = ReturnType<typeof makeWarnOfUnfillableQuorum>;
