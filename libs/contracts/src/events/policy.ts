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

/** How a policy in the database can differ from what the log recorded. */
export const tamperingReasons = [
  'content_differs',
  'deletion_differs',
  'older_version',
  'policy_missing',
  'never_recorded',
] as const;
export type TamperingReason = (typeof tamperingReasons)[number];

const governed = {
  /** As the log recorded it; if it did not, as it is in the database. */
  policy: z.strictObject({
    id: typeId('pol'),
    name: z.string(),
    version: z.number().int().min(1),
    hash: sha256Hex(),
  }),
  /** The denied action types: the pattern that the policy has, or had. */
  action_type: z.string(),
};

/** A policy in the database differs from the log; from now on the actions that it governs are denied. */
export const policyTamperingDetectedV1 = z.strictObject({
  ...governed,
  reason: z.enum(tamperingReasons),
  /** The policy in the database; null when there is none. */
  found: z.strictObject({ version: z.number().int(), hash: z.string() }).nullable(),
});

/** The policy agrees with the log again. */
export const policyTamperingEndedV1 = z.strictObject(governed);
