import type { OpenItem, SubmissionAnswer, SubmissionOutcome } from '@agentlattice/contracts';
import type { KnownApproval } from './approval.js';

/**
 * The answer to a submission whose request is on disk, and to its repetitions: always the first answer, unless the request
 * timed out or no member can decide it.
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
            message: `The policy "${item.policy.name}" asks for approvals that nobody in the workspace may give.`,
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

/** It is unknown whether the request is on disk: the agent gets 503 and may try again. */
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
