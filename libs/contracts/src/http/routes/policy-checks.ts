import { z } from 'zod';
import { actionType, instant, jsonObject } from '../../primitives.js';
import { conditionEvaluated } from '../../submission/condition-evaluated.js';
import { ok, route } from '../route.js';

// In a file of its own with little else: `al check` loads only this of the contracts (ADR 59).

export const actionSubmission = z
  .strictObject({
    action_type: actionType(),
    timestamp: instant()
      .optional()
      .meta({ description: 'When the agent acted by its own clock; not judged for skew' }),
    data_accessed: z
      .array(jsonObject())
      .max(1000)
      .nullish()
      .transform((v) => v ?? []),
    metadata: jsonObject()
      .nullish()
      .transform((v) => v ?? {}),
  })
  .meta({ id: 'ActionSubmission' });
export type ActionSubmission = z.infer<typeof actionSubmission>;

/** An action to try out; operators and services may name the agent that would submit it. */
const policyCheckInput = actionSubmission
  .extend({
    agent_id: z.string().min(1).max(255).optional().meta({
      description:
        'The agent that would submit it, for conditions on `agent.…` and its suspension. For operators and services: without it no agent is meant. An agent is judged as itself and can name only itself',
    }),
  })
  .meta({ id: 'PolicyCheckInput' });

const checkAnswer = z
  .object({
    allowed: z.boolean(),
    needs_approval: z.boolean(),
    action_type: z.string(),
    policy_name: z.string().nullable(),
    reason: z.string(),
    conditions_evaluated: z.array(conditionEvaluated),
  })
  .meta({ id: 'PolicyCheck' });

export const policyCheckRoutes = {
  checkPolicy: route({
    id: 'checkPolicy',
    method: 'GET',
    path: '/api/v1/policies/check',
    tag: 'Agent',
    summary: 'Dry run: the answer that a submission would get now',
    callers: ['agent', 'operator:viewer', 'service:policies:read'],
    query: z.object({ action_type: actionType() }),
    responses: { 200: ok(checkAnswer) },
  }),
  checkPolicyWithMetadata: route({
    id: 'checkPolicyWithMetadata',
    method: 'POST',
    path: '/api/v1/policies/check',
    tag: 'Agent',
    summary: 'The same with metadata',
    callers: ['agent', 'operator:viewer', 'service:policies:read'],
    body: policyCheckInput,
    responses: { 200: ok(checkAnswer) },
    errors: ['NOT_FOUND'],
  }),
} as const;
