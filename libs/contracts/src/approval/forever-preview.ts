import { z } from 'zod';
import { foreverFor } from '../events/approval.js';
import { condition, policyEffects } from '../policy/policy.js';
import { instant, typeId } from '../primitives.js';
import { agentRef, policyRef } from '../submission/items.js';
import { memberName } from './approval.js';
import { forOperators } from './for-operators.js';

const count = () => z.number().int().min(0);

/** What the policies would become, as the policy-engine plans it. */
export const foreverPlan = z.object({
  changes: z.boolean().meta({ description: 'Whether the policies change once the request is approved' }),
  detail: z.string().meta({ description: 'The change, or why there is none, in a sentence' }),
  current: z
    .object({
      name: z.string(),
      version: z.number().int().min(1),
      effect: z.enum(policyEffects),
      action_type: z.string(),
      conditions: z.array(condition),
      condition_expression: z.string().nullable(),
    })
    .nullable()
    .meta({ description: 'The policy as it is now; null when it is deleted' }),
  next: z
    .object({
      name: z.string(),
      version: z.number().int().min(1),
      is_new: z.boolean().meta({ description: 'A policy of its own for exactly this action type' }),
      effect: z.literal('allow'),
      action_type: z.string().meta({ description: 'Every action of this type runs, whatever it holds' }),
    })
    .nullable()
    .meta({ description: 'The policy as it would be; null when nothing changes' }),
});
export type ForeverPlan = z.infer<typeof foreverPlan>;

const waitingRequest = z.object({
  approval_id: typeId('apr'),
  action_type: z.string(),
  agent: agentRef,
  timeout_at: instant(),
});

/** What the approval-service knows about a policy that would stop asking. */
export const foreverReach = z.object({
  approval_id: typeId('apr'),
  action_type: z.string(),
  policy: policyRef.meta({
    description: 'The version that governs the request: `policy_version` of the approval',
  }),
  denials_30d: z.object({
    asked: count(),
    denied: count().meta({ description: 'By people' }),
    last: z
      .object({
        approval_id: typeId('apr'),
        at: instant(),
        reason: z.string().nullable(),
        resolved_by: z.string().nullable(),
        resolved_by_name: memberName(),
      })
      .nullable(),
  }),
  agents: z.array(agentRef).meta({ description: 'That asked within 30 days, at most 50' }),
  agents_total: count(),
  waiting: z
    .array(waitingRequest)
    .meta({ description: 'Other open requests that would be released, at most 20' }),
  waiting_total: count(),
  can_decide: forOperators.can_decide,
  cannot_decide_reason: forOperators.cannot_decide_reason,
  completes: forOperators.completes,
});
export type ForeverReach = z.infer<typeof foreverReach>;

/** What an approval "forever" would do now. */
export const foreverPreview = foreverReach
  .extend({ forever_for: z.enum(foreverFor), plan: foreverPlan })
  .meta({ id: 'ForeverPreview' });
export type ForeverPreview = z.infer<typeof foreverPreview>;
