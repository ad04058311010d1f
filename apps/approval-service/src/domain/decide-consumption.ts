import { type DenialReason, Refused } from '@agentlattice/contracts';
import type { Approval, ApprovalEvent, KnownApproval } from './approval.js';

/** A grant whose signature was checked, and the digest of the action that is about to be executed with it. */
export interface GrantUse {
  readonly grant: { readonly digest: string; readonly expiresAt: Date; readonly jti: string };
  readonly digest: string;
}

export interface ConsumeGrant extends GrantUse {
  readonly type: 'ConsumeGrant';
  /** The standing of the agent now, from the gateway. */
  readonly agentSuspended: boolean;
  /** The verdict now, from the policy-engine; null: no policy denies the action. */
  readonly deniedBy: { readonly reason: DenialReason; readonly policyName: string | null } | null;
  readonly now: Date;
}

/**
 * Refuses a grant that is invalid regardless of the gateway and the policy-engine.
 * @throws Refused NOT_FOUND, ACTION_MISMATCH, GRANT_EXPIRED, GRANT_CONSUMED
 */
export function checkUsable({ grant, digest }: GrantUse, state: Approval, now: Date): KnownApproval {
  if (state.status !== 'approved') throw new Refused('NOT_FOUND', 'there is no such grant in this workspace');
  if (digest !== state.digest || grant.digest !== state.digest)
    throw new Refused('ACTION_MISMATCH', 'the grant was given for an action with another digest');
  if (now.getTime() >= grant.expiresAt.getTime())
    throw new Refused('GRANT_EXPIRED', `the grant was valid until ${grant.expiresAt.toISOString()}`);
  if (state.grantConsumed) throw alreadyConsumed();
  return state;
}

export const alreadyConsumed = () =>
  new Refused('GRANT_CONSUMED', 'the grant was used already; submit the action again');

/** The one use of a grant. @throws Refused by `checkUsable`, then AGENT_SUSPENDED, then DELEGATION_SCOPE or POLICY_DENIED */
export function decideConsumption(command: ConsumeGrant, state: Approval): readonly ApprovalEvent[] {
  const { grant, agentSuspended, deniedBy, now } = command;
  const { subject, digest } = checkUsable(command, state, now);
  if (agentSuspended) throw new Refused('AGENT_SUSPENDED', 'the agent is suspended');
  if (deniedBy?.reason === 'DELEGATION_SCOPE')
    throw new Refused(
      'DELEGATION_SCOPE',
      'the delegation of the agent has ended, or does not cover the action',
    );
  if (deniedBy !== null)
    throw new Refused(
      'POLICY_DENIED',
      deniedBy.policyName === null
        ? `the policies deny the action by now (${deniedBy.reason})`
        : `the policy "${deniedBy.policyName}" denies the action by now (${deniedBy.reason})`,
      { extra: { denial_reason: deniedBy.reason } },
    );
  return [{ type: 'approval.grant_consumed', data: { ...subject, action_digest: digest, jti: grant.jti } }];
}
