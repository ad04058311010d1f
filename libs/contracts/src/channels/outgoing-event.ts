import { z } from 'zod';
import { instant } from '../primitives.js';

/** Types that are sent out (contract §6). */
export const outgoingEventTypes = [
  'approval.requested', 'approval.escalated', 'approval.approved', 'approval.denied', 'approval.timed_out',
  'approval.cancelled', 'approval.auto_resolved', 'policy.changed', 'policy.tampering_detected', 'action.denied', 'action.executed',
  'delegation.expired', 'delegation.revoked', 'agent.suspended', 'endpoint.disabled',
] as const; // prettier-ignore
export type OutgoingEventType = (typeof outgoingEventTypes)[number];

/** A CloudEvents 1.0 event as it is sent to the workspace's channels. */
export const outgoingEvent = z.object({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.enum(outgoingEventTypes),
  subject: z.string(),
  time: instant(),
  datacontenttype: z.literal('application/json'),
  data: z.record(z.string(), z.unknown()),
});
export type OutgoingEvent = z.infer<typeof outgoingEvent>;
