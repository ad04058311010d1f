import type { AuditEvent } from '@agentlattice/contracts';

/**
 * The reason of a decision by the system: for a time-out the same word as in the status of the request (docs/contract.md §3).
 * It follows from the type of the event, so the entry in the log need not contain it.
 */
export const withSystemReason = (event: AuditEvent): AuditEvent =>
  event.type === 'approval.timed_out' && event.reason === null
    ? { ...event, reason: 'approval_timeout' }
    : event;
