import { z } from 'zod';
import { digest, instant, typeId } from '../primitives.js';
import { agentRef, approvalTerms, policyRef } from '../submission/items.js';

/** Stands in every event of an approval, so that no reader needs the ones before. */
const subject = {
  approval_id: typeId('apr'),
  audit_event_id: typeId('evt'),
  agent: agentRef.extend({ owner_member_id: z.string().nullable() }),
  action_type: z.string(),
  policy: policyRef,
};

export const approvalOpenedV1 = z.strictObject({
  ...subject,
  action_digest: digest(),
  terms: approvalTerms,
  judged_at: instant(),
  requested_at: instant(),
  timeout_at: instant(),
});

export const approvalTimedOutV1 = z.strictObject({ ...subject, timeout_at: instant() });
