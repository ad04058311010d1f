import {
  type CommandRequest,
  type CommandResponse,
  type policyEngineCommands,
  Refused,
} from '@agentlattice/contracts';
import { liveChain } from '../domain/chain-of-links.js';
import type { LivePolicies } from '../read/live-policies.js';

type Standing = typeof policyEngineCommands.delegation_standing;

/** Whether a delegation is live, by the memory that submissions are judged by. @throws Refused STALE */
export const makeDelegationStanding =
  (policies: Pick<LivePolicies, 'becomesFresh' | 'delegations' | 'now'>) =>
  async ({ org_id, delegation_id }: CommandRequest<Standing>): Promise<CommandResponse<Standing>> => {
    if (!(await policies.becomesFresh()))
      throw new Refused('STALE', 'the delegations here may be out of date; try again');
    return { live: liveChain(policies.delegations, org_id, delegation_id, policies.now()) !== null };
  };
export type DelegationStanding = ReturnType<typeof makeDelegationStanding>;
