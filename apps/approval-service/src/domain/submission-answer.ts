import type { OpenItem, SubmissionAnswer, SubmissionOutcome } from '@agentlattice/contracts';
import type { KnownApproval } from './approval.js';

/**
 * What the agent is told once its request is on disk, and again when it repeats the submission: the first answer,
 * however the request stands by then, unless nobody decided it in time or could.
 */
export function answerOf(
  item: OpenItem,
  { denialReason, timeoutAt, subject }: KnownApproval,
  eligibleApprovers: number | null,
): SubmissionAnswer {
  const common = {
    policy_name: item.policy.name,
    audit_event_id: subject.audit_event_id,
    approval_id: subject.approval_id,
    timeout_at: timeoutAt,
    conditions_evaluated: item.conditions_evaluated,
  };
  const denied = { ...common, status: 'denied', verdict: 'denied' } as const;
  const outcome: SubmissionOutcome =
    denialReason === 'approval_timeout'
      ? {
          ...denied,
          denial_reason: denialReason,
          message: `Nobody decided the request before ${timeoutAt}.`,
        }
      : denialReason === 'NO_ELIGIBLE_APPROVER'
        ? {
            ...denied,
            denial_reason: denialReason,
            message: `The policy "${item.policy.name}" asks for approvals that nobody here may give.`,
          }
        : {
            ...common,
            status: 'requested',
            verdict: 'pending_approval',
            denial_reason: null,
            message: `The policy "${item.policy.name}" asks for a person's approval before ${timeoutAt}.`,
            eligible_approvers: eligibleApprovers,
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
