import { z } from 'zod';
import { outcomeStatuses } from '../audit/report.js';
import { digest, instant, typeId } from '../primitives.js';
import { agentRef, denialReason, policyRef } from '../submission/items.js';

/** What the ledger recorded about a submission; erasable values stay with the ledger. */
const submitted = {
  audit_event_id: typeId('evt'),
  seq: z.number().int().min(0),
  agent: agentRef,
  /** The agents that it acts for, the first one first; missing when it acts for none. */
  acting_for: z.array(agentRef).optional(),
  action_type: z.string(),
  action_digest: digest(),
};

export const actionExecutedV1 = z.strictObject({ ...submitted, policy: policyRef });
export const actionDeniedV1 = z.strictObject({
  ...submitted,
  policy: policyRef.nullable(),
  denial_reason: denialReason,
});
export const actionRequestedV1 = z.strictObject({
  ...submitted,
  policy: policyRef,
  approval_id: typeId('apr'),
  timeout_at: instant(),
});

/** The outcome of an action, as its agent reports it; its message and metadata are erasable. The last report counts. */
export const actionReportedV1 = z.strictObject({
  /** The id of the action's event; the id of the report is that of this event. */
  audit_event_id: typeId('evt'),
  seq: z.number().int().min(0),
  agent: agentRef,
  action_type: z.string(),
  policy: policyRef,
  approval_id: typeId('apr').nullable(),
  status: z.enum(outcomeStatuses),
});
