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
  /** Null: once. */
  readonly foreverFor: 'policy' | 'action_type' | null;
  /** With forever: the version that must still govern the request; null: whichever does. */
  readonly policyVersion: number | null;
}

/** Approves; "for ever" is two steps, of which the person's decision is the first and stands whatever becomes of the second. */
export class DecideApproval {
  constructor(private readonly commands: CommandClient) {}

  async approve(decision: Decision, { foreverFor, policyVersion }: Forever): Promise<Approved> {
    const decided = await this.commands.request(approvalServiceCommands.approve, {
      ...decision,
      forever_for: foreverFor,
      policy_version: policyVersion,
    });
    if (foreverFor === null || !('id' in decided) || decided.status !== 'approved') return decided;
    return { ...decided, policy_change: await this.allowForever(decision, decided, foreverFor) };
  }

  private async allowForever(
    { org_id, approval_id, operator, correlation_id }: Decision,
    { policy, action_type }: ApprovalView,
    forever_for: 'policy' | 'action_type',
  ): Promise<PolicyChange> {
    try {
      return await this.commands.request(policyEngineCommands.allow_forever, {
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
      // Whatever it is, the approval stands; what the policy-engine missed it hears again.
      const detail =
        error instanceof Refused && error.code === 'FORBIDDEN'
          ? `the policy was left alone: ${error.detail}`
          : 'the policy engine did not answer; it changes the policy once it can';
      return { changed: false, policy_id: policy.id, policy_version: null, detail };
    }
  }
}
