import type { OutgoingEventType } from '../../api/channels.js';

/** What happened, for each event that is sent out. Every type has to be here, or this does not compile. */
export const eventNames: Readonly<Record<OutgoingEventType, string>> = {
  'approval.requested': 'A person is asked',
  'approval.escalated': 'A request is escalated',
  'approval.approved': 'A request is approved',
  'approval.denied': 'A request is denied',
  'approval.timed_out': 'A request timed out',
  'approval.cancelled': 'A request is withdrawn',
  'approval.auto_resolved': 'A policy change decided a request',
  'policy.changed': 'A policy is changed',
  'policy.tampering_detected': 'A policy was tampered with',
  'action.denied': 'An action is denied',
  'action.executed': 'An action is allowed',
  'delegation.expired': 'A delegation expired',
  'delegation.revoked': 'A delegation is revoked',
  'agent.suspended': 'An agent is suspended',
  'endpoint.disabled': 'A channel is disabled by the system',
};
/** No event of these types is made yet, so a channel would wait for them in vain. */
const notMade: readonly OutgoingEventType[] = ['delegation.expired', 'delegation.revoked'];

export const eventTypes = (Object.keys(eventNames) as OutgoingEventType[]).filter(
  (type) => !notMade.includes(type),
);
