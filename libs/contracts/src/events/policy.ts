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
