import {
  type CommandRequest,
  type CommandResponse,
  type policyEngineCommands,
  Refused,
} from '@agentlattice/contracts';
import { judgeAction } from '../domain/judge-action.js';
import type { LivePolicies } from '../read/live-policies.js';

type Rejudge = typeof policyEngineCommands.rejudge;

/** NATS takes 1 MiB a message, and submissions wait for the same thread. */
const maxBytes = 512 * 1024;
const maxMs = 20;

/**
 * Judges pending requests again by policies at least as new as the call, each with the time and the agent of its submission, so
 * that only the policies can change the verdict, or the end of a delegation. Answers as many as fit into one message and one turn, at least the first.
 * @throws Refused STALE
 */
export const makeRejudgeRequests =
  (policies: Pick<LivePolicies, 'fresh' | 'of' | 'delegations' | 'now' | 'caughtUp'>) =>
  async ({ org_id, items }: CommandRequest<Rejudge>): Promise<CommandResponse<Rejudge>> => {
    if (!(await policies.caughtUp()) || !policies.fresh())
      throw new Refused('STALE', 'the policies of this instance may be out of date; try again');
    const set = policies.of(org_id);
    const judgements: CommandResponse<Rejudge>['judgements'] = [];
    const began = performance.now();
    let bytes = 0;
    for (const { approval_id, agent, judged_at, ...action } of items) {
      const { decision, denial_reason, policy, conditions_evaluated, terms } = judgeAction(
        { ...action, agent: { ...agent, suspended: false }, delegation_id: null },
        {
          policies: set,
          delegations: policies.delegations,
          orgId: org_id,
          now: policies.now(),
          time: Date.parse(judged_at),
        },
      );
      const judgement = { approval_id, decision, denial_reason, policy, conditions_evaluated, terms };
      bytes += Buffer.byteLength(JSON.stringify(judgement));
      if (judgements.length > 0 && bytes > maxBytes) break;
      judgements.push(judgement);
      if (performance.now() - began > maxMs) break;
    }
    return { judgements };
  };
export type RejudgeRequests = ReturnType<typeof makeRejudgeRequests>;
