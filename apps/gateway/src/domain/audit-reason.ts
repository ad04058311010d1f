import type { AuditEvent } from '@agentlattice/contracts';

/**
 * Why the system decided, where no person gave a reason: of a time-out the same word as in the status of its request
 * (docs/contract.md §3). It follows from the type of the event, so the entry in the log need not hold it.
 */
export const withSystemReason = (event: AuditEvent): AuditEvent =>
  event.type === 'approval.timed_out' && event.reason === null
    ? { ...event, reason: 'approval_timeout' }
    : event;
