import type { AuditEvent } from '@agentlattice/contracts';
import { withSystemReason } from './audit-reason.js';

const reasonOf = (type: string, reason: string | null) =>
  withSystemReason({ type, reason } as AuditEvent).reason;

it('is the reason of a time-out', () =>
  expect(reasonOf('approval.timed_out', null)).toBe('approval_timeout'));

it('keeps an existing reason, and adds none to a decision by a person', () => {
  expect(reasonOf('approval.timed_out', 'written in the log')).toBe('written in the log');
  expect(reasonOf('approval.denied', null)).toBeNull();
  expect(reasonOf('approval.denied', 'too risky')).toBe('too risky');
});
