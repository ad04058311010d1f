import type { EventType } from '@agentlattice/contracts';

/**
 * The types of events that the notifier takes in. `action.executed` and `action.denied` are not among them: there are thousands a
 * second, and the ledger can replay them when a channel asks for them. All types of approvals are taken in, internal ones included,
 * because a gap in a source that is read completely needs no replay.
 */
export const storedEventTypes = [
  'approval.opened',
  'approval.vote_cast',
  'approval.vote_withdrawn',
  'approval.escalated',
  'approval.policy_changed',
  'approval.approved',
  'approval.denied',
  'approval.cancelled',
  'approval.timed_out',
  'approval.grant_consumed',
  'policy.created',
  'policy.updated',
  'policy.activated',
  'policy.deactivated',
  'policy.deleted',
  'policy.tampering_detected',
  'delegation.revoked',
  'delegation.expired',
  'agent.suspended',
] as const satisfies readonly EventType[];
