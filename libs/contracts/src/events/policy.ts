import { z } from 'zod';
import { policyContent } from '../policy/policy.js';
import { sha256Hex, typeId } from '../primitives.js';

/** A policy after the change; `version` is its stream's version, `hash` the one its verdicts carry. */
export const policyChangedV1 = z.strictObject({
  policy_id: typeId('pol'),
  name: z.string(),
  version: z.number().int().min(1),
  hash: sha256Hex(),
  content: policyContent,
});

/** What a policy's copies in the database may have against what was recorded of it. */
export const tamperingReasons = [
  'content_differs',
  'deletion_differs',
  'older_version',
  'policy_missing',
  'never_recorded',
] as const;
export type TamperingReason = (typeof tamperingReasons)[number];

const governed = {
  /** As the log recorded it; where it did not, as it stands in the database. */
  policy: z.strictObject({
    id: typeId('pol'),
    name: z.string(),
    version: z.number().int().min(1),
    hash: sha256Hex(),
  }),
  /** What is denied: the pattern that the policy has, or had. */
  action_type: z.string(),
};

/** A policy in the database is not what the log recorded of it; from here on what it governs is denied. */
export const policyTamperingDetectedV1 = z.strictObject({
  ...governed,
  reason: z.enum(tamperingReasons),
  /** What was found in the database; null when nothing was. */
  found: z.strictObject({ version: z.number().int(), hash: z.string() }).nullable(),
});

/** It is again what the log recorded. */
export const policyTamperingEndedV1 = z.strictObject(governed);
