import type { EventType } from '@agentlattice/contracts';

/**
 * The types that the notifier takes in. Not `action.executed` and `action.denied`: they come in thousands a second, and until a
 * channel asks for them they stay in the ledger, which gives them again at any time. Of approvals all types, also those that
 * stay inside: a source that is taken whole need not be asked for what is missing.
 */
export const takenIn = [
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
  'agent.suspended',
] as const satisfies readonly EventType[];
