import { type DenialReason, Refused } from '@agentlattice/contracts';
import type { ApprovalEvent, KnownApproval } from './approval.js';

export interface ConsumeGrant {
  readonly type: 'ConsumeGrant';
  /** From the grant, whose signature was checked. */
  readonly grant: { readonly digest: string; readonly expiresAt: Date; readonly jti: string };
  /** Of the action that is about to be done. */
  readonly digest: string;
  /** How things stand at this moment: the agent, and what the policies say of the action by now. */
  readonly agentSuspended: boolean;
  /** Null: no policy denies it. */
  readonly deniedBy: { readonly reason: DenialReason; readonly policyName: string | null } | null;
  readonly now: Date;
}

/**
 * The one use of a grant.
 * @throws Refused in the order 404, 403, 409 (decisions §5)
 */
export function decideConsumption(command: ConsumeGrant, state: KnownApproval): readonly ApprovalEvent[] {
  const { grant, digest, agentSuspended, deniedBy, now } = command;
  if (state.status !== 'approved') throw new Refused('NOT_FOUND', 'there is no such grant in this workspace');
  if (agentSuspended) throw new Refused('AGENT_SUSPENDED', 'the agent is suspended');
  if (deniedBy !== null)
    throw new Refused(
      'POLICY_DENIED',
      deniedBy.policyName === null
        ? `the policies deny the action by now (${deniedBy.reason})`
        : `the policy "${deniedBy.policyName}" denies the action by now (${deniedBy.reason})`,
      { extra: { denial_reason: deniedBy.reason } },
    );
  if (digest !== state.digest || grant.digest !== state.digest)
    throw new Refused('ACTION_MISMATCH', 'the grant was given for an action with another digest');
  if (now.getTime() >= grant.expiresAt.getTime())
    throw new Refused('GRANT_EXPIRED', `the grant counted until ${grant.expiresAt.toISOString()}`);
  if (state.grantConsumed) throw new Refused('GRANT_CONSUMED', 'the grant was used already; ask anew');
  return [
    {
      type: 'approval.grant_consumed',
      data: { ...state.subject, action_digest: state.digest, jti: grant.jti },
    },
  ];
}
