import { z } from 'zod';

/** A condition of a policy and whether it held for an action. */
export const conditionEvaluated = z.object({
  field: z.string(),
  operator: z.string(),
  expected: z.unknown(),
  result: z.boolean(),
});
export type ConditionEvaluated = z.infer<typeof conditionEvaluated>;
