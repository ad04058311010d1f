import { z } from 'zod';
import { outcomeStatuses } from '../audit/report.js';
import { digest, instant, typeId } from '../primitives.js';
import { agentRef, denialReason, policyRef } from '../submission/items.js';

/** What the ledger recorded about a submission; erasable values stay with the ledger. */
const submitted = {
  audit_event_id: typeId('evt'),
  seq: z.number().int().min(0),
  agent: agentRef,
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

/** How an action went, as its agent says; what it said beside the status is erasable. The last report stands. */
export const actionReportedV1 = z.strictObject({
  /** Of the action; the report's own is the event's. */
  audit_event_id: typeId('evt'),
  seq: z.number().int().min(0),
  agent: agentRef,
  action_type: z.string(),
  policy: policyRef,
  approval_id: typeId('apr').nullable(),
  status: z.enum(outcomeStatuses),
});
