import { assertNever } from '@agentlattice/decider';
import type { ApprovalStatus, routes, RouteOutput, SubmissionOutcome } from '@agentlattice/contracts';

/** An answer to a submission: with the grant, and with what is known of the decision that was waited for. */
export interface ActionOutcome {
  readonly outcome: SubmissionOutcome;
  readonly grant: string | null;
  readonly decision?: Pick<ApprovalStatus, 'reason' | 'resolved_by' | 'resolved_by_name'>;
}

type ActionAnswer = RouteOutput<(typeof routes)['submitAction']>;

/** The body of an answer to a submission (contract §3): 202 when a human must decide, else 200. */
export function actionAnswer({ outcome, grant, decision }: ActionOutcome): {
  status: 200 | 202;
  body: ActionAnswer;
} {
  const { audit_event_id, conditions_evaluated, policy_name, approval_id } = outcome;
  const common = { audit_event_id, conditions_evaluated };
  const approval = approval_id === null ? {} : { approval_id };
  switch (outcome.status) {
    case 'executed':
      return {
        status: 200,
        body: {
          status: 'executed',
          verdict: 'executed',
          policy_name: present(policy_name, 'policy_name'),
          ...common,
          ...approval,
          ...decision,
          ...(grant === null ? {} : { grant }),
        },
      };
    case 'requested':
      return {
        status: 202,
        body: {
          status: 'requested',
          verdict: 'pending_approval',
          approval_id: present(approval_id, 'approval_id'),
          timeout_at: present(outcome.timeout_at, 'timeout_at'),
          policy_name: present(policy_name, 'policy_name'),
          message: outcome.message ?? 'A human must decide.',
          ...eligibleIn(outcome),
          ...common,
        },
      };
    case 'denied':
    case 'policy_not_found':
      return {
        status: 200,
        body: {
          status: outcome.status,
          verdict: 'denied',
          denial_reason: present(outcome.denial_reason, 'denial_reason'),
          policy_name,
          ...common,
          ...approval,
          ...decision,
        },
      };
  }
}

/** The answer after the request was decided; the first answer while it is not. */
export function decidedOutcome(requested: ActionOutcome, decision: ApprovalStatus): ActionOutcome {
  const { outcome } = requested;
  switch (decision.status) {
    case 'approved':
      return {
        outcome: { ...outcome, status: 'executed', verdict: 'executed' },
        grant: decision.grant,
        decision: decisionOf(decision),
      };
    case 'denied':
    case 'timed_out':
      return {
        outcome: {
          ...outcome,
          status: 'denied',
          verdict: 'denied',
          denial_reason: decision.status === 'timed_out' ? 'approval_timeout' : decision.denial_reason,
        },
        grant: null,
        decision: decisionOf(decision),
      };
    case 'pending':
    case 'escalated':
      return requested;
    default:
      return assertNever(decision.status);
  }
}

/** Who decided and why. */
const decisionOf = ({ reason, resolved_by, resolved_by_name }: ApprovalStatus) => ({
  reason,
  resolved_by,
  ...(resolved_by_name === undefined ? {} : { resolved_by_name }),
});

/** Left out when it is unknown. */
const eligibleIn = ({ eligible_approvers }: SubmissionOutcome) =>
  typeof eligible_approvers === 'number' ? { eligible_approvers } : {};

/** An answer without a member that its kind needs is a bug of its sender; it must not become an allow. */
function present<T>(value: T | null, member: string): T {
  if (value === null) throw new Error(`the outcome lacks ${member}`);
  return value;
}
