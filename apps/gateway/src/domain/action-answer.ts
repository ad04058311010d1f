import type { routes, RouteOutput, SubmissionOutcome } from '@agentlattice/contracts';

type ActionAnswer = RouteOutput<(typeof routes)['submitAction']>;

/** The body of an answer to a submission (contract §3): 202 when a human must decide, else 200. */
export function actionAnswer(
  outcome: SubmissionOutcome,
  grant: string | null,
): { status: 200 | 202; body: ActionAnswer } {
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
        },
      };
  }
}

/** An answer that lacks a member its kind needs is a bug of its sender; it must not become an allow. */
function present<T>(value: T | null, member: string): T {
  if (value === null) throw new Error(`the outcome lacks ${member}`);
  return value;
}
