import type { CommandRequest, ForeverPlan, policyEngineCommands } from '@agentlattice/contracts';
import type pg from 'pg';
import {
  contentOf,
  exactAlready,
  exactFromNow,
  planForever,
  type StandingPolicy,
} from '../domain/forever.js';
import { exactPolicy, standingPolicy } from '../read/standing-policies.js';

export interface PlanForeverPorts {
  readonly pool: pg.Pool;
}

/** What an approval for ever would do now, by the plan that is carried out when it comes; nothing is written. */
export const makePlanForever =
  ({ pool }: PlanForeverPorts) =>
  async (request: CommandRequest<typeof policyEngineCommands.plan_forever>): Promise<ForeverPlan> => {
    const policy = await standingPolicy(pool, request);
    const plan = planForever(request, policy);
    const nothing = (detail: string) => ({ changes: false, detail, current: shown(policy), next: null });
    if (plan.does === 'nothing' || policy === null)
      return nothing(plan.does === 'nothing' ? plan.detail : 'The policy was deleted in the meantime.');
    const allows = { effect: 'allow' } as const;
    if (plan.does === 'allow policy') {
      const { name, action_type } = policy.content;
      const next = { name, version: policy.version + 1, is_new: false, ...allows, action_type };
      return { changes: true, detail: plan.detail, current: shown(policy), next };
    }
    const exact = await exactPolicy(pool, request);
    if (exact !== null) return nothing(exactAlready(exact.name, request.action_type));
    const { name, action_type } = contentOf(request, false);
    return {
      changes: true,
      detail: exactFromNow(name, request.action_type, policy.content.name),
      current: shown(policy),
      next: { name, version: 1, is_new: true, ...allows, action_type },
    };
  };
export type PlanForever = ReturnType<typeof makePlanForever>;

function shown(policy: StandingPolicy): ForeverPlan['current'] {
  if (policy === null) return null;
  const { name, effect, action_type, conditions, condition_expression } = policy.content;
  return { name, version: policy.version, effect, action_type, conditions, condition_expression };
}
