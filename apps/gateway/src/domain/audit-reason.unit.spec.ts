import type { AuditEvent } from '@agentlattice/contracts';
import { withSystemReason } from './audit-reason.js';

const reasonOf = (type: string, reason: string | null) =>
  withSystemReason({ type, reason } as AuditEvent).reason;

it('says of a time-out that it was one', () =>
  expect(reasonOf('approval.timed_out', null)).toBe('approval_timeout'));

it('keeps a reason that is there, and adds none to what a person decided', () => {
  expect(reasonOf('approval.timed_out', 'written in the log')).toBe('written in the log');
  expect(reasonOf('approval.denied', null)).toBeNull();
  expect(reasonOf('approval.denied', 'too risky')).toBe('too risky');
});
