import {
  approvalServiceCommands,
  type ApprovalView,
  type CommandRequest,
  type CommandResponse,
  policyEngineCommands,
  Refused,
  type routes,
  type RouteOutput,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';

type Decision = CommandRequest<typeof approvalServiceCommands.deny>;
type Approved = RouteOutput<typeof routes.approveRequest>;
type PolicyChange = CommandResponse<typeof policyEngineCommands.allow_forever>;

export interface Forever {
  /** Null: the approval counts once. */
  readonly foreverFor: 'policy' | 'action_type' | null;
  /** With forever: the version that must still govern the request; null: the one that governs it. */
  readonly policyVersion: number | null;
}

export interface ApproveRequestPorts {
  readonly commands: Pick<CommandClient, 'request'>;
}

/**
 * Approves a request. An approval forever has two steps: the decision of the request, then the change of the policy. The
 * decision stands when the second step fails.
 */
export const makeApproveRequest =
  ({ commands }: ApproveRequestPorts) =>
  async (decision: Decision, { foreverFor, policyVersion }: Forever): Promise<Approved> => {
    const decided = await commands.request(approvalServiceCommands.approve, {
      ...decision,
      forever_for: foreverFor,
      policy_version: policyVersion,
    });
    if (foreverFor === null || !('id' in decided)) return decided;
    // The answer to a vote that is sent again may be what others have decided since.
    if (decided.scope !== 'forever' || decided.resolved_by !== decision.operator.member_id) return decided;
    return { ...decided, policy_change: await allowForever(commands, decision, decided, foreverFor) };
  };
export type ApproveRequest = ReturnType<typeof makeApproveRequest>;

async function allowForever(
  commands: ApproveRequestPorts['commands'],
  { org_id, approval_id, operator, correlation_id }: Decision,
  { policy, action_type }: ApprovalView,
  forever_for: 'policy' | 'action_type',
): Promise<PolicyChange> {
  try {
    return await commands.request(policyEngineCommands.allow_forever, {
      org_id,
      approval_id,
      operator,
      policy_id: policy.id,
      policy_version: policy.version,
      action_type,
      forever_for,
      correlation_id,
    });
  } catch (error) {
    // The approval stands. The policy-engine learns of it again from the approval's event.
    const detail =
      error instanceof Refused && error.code === 'FORBIDDEN'
        ? `the policy was left alone: ${error.detail}`
        : 'the policy engine did not answer; it changes the policy once it can';
    return { changed: false, policy_id: policy.id, policy_version: null, detail };
  }
}
