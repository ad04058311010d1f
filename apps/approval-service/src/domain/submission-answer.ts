import type { OpenItem, SubmissionAnswer, SubmissionOutcome } from '@agentlattice/contracts';
import type { Approval } from './approval.js';

/** What the agent is told about its request as it stands now. */
export function answerOf(item: OpenItem, state: Exclude<Approval, { status: 'none' }>): SubmissionAnswer {
  const { status, timeoutAt, subject } = state;
  const common = {
    policy_name: subject.policy.name,
    audit_event_id: subject.audit_event_id,
    approval_id: subject.approval_id,
    timeout_at: timeoutAt,
    conditions_evaluated: item.conditions_evaluated,
  };
  const outcome: SubmissionOutcome =
    status === 'timed_out'
      ? {
          ...common,
          status: 'denied',
          verdict: 'denied',
          denial_reason: 'approval_timeout',
          message: `Nobody decided the request before ${timeoutAt}.`,
        }
      : {
          ...common,
          status: 'requested',
          verdict: 'pending_approval',
          denial_reason: null,
          message: `The policy "${subject.policy.name}" asks for a person's approval before ${timeoutAt}.`,
        };
  return { ...addressed(item), outcome, error: null };
}

/** Nothing is known to be on disk: the agent hears 503 and may try again. */
export const failureOf = (item: OpenItem, error: { code: string; detail: string }): SubmissionAnswer => ({
  ...addressed(item),
  outcome: null,
  error,
});

const addressed = ({ item_id, agent, action_digest, replayed }: OpenItem) => ({
  item_id,
  agent_id: agent.id,
  action_digest,
  grant: null,
  replayed,
});
