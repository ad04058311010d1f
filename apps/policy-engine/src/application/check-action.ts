import {
  type CommandRequest,
  type CommandResponse,
  type policyEngineCommands,
  Refused,
} from '@agentlattice/contracts';
import { judgeAction } from '../domain/judge-action.js';
import type { LivePolicies } from '../read/live-policies.js';

type Check = typeof policyEngineCommands.check;

/** A dry run: the verdict that a submission would get now; nothing is written. @throws Refused STALE */
export const makeCheckAction =
  (policies: Pick<LivePolicies, 'becomesFresh' | 'of' | 'delegations' | 'now'>) =>
  async ({
    org_id,
    agent,
    action_type,
    metadata,
    data_accessed,
  }: CommandRequest<Check>): Promise<CommandResponse<Check>> => {
    if (!(await policies.becomesFresh()))
      throw new Refused('STALE', 'the policies of this instance may be out of date; try again');
    const now = policies.now();
    const { decision, denial_reason, policy, conditions_evaluated } = judgeAction(
      {
        action_type,
        metadata: JSON.stringify(metadata),
        data_accessed: JSON.stringify(data_accessed),
        agent,
        delegation_id: null,
      },
      { policies: policies.of(org_id), delegations: policies.delegations, orgId: org_id, now, time: now },
    );
    return { decision, denial_reason, policy, conditions_evaluated };
  };
export type CheckAction = ReturnType<typeof makeCheckAction>;
