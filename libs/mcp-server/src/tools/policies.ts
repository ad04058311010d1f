import { actionType, policySummary, policyView, routes } from '@agentlattice/contracts';
import { z } from 'zod';
import { bounded, quoted, visible, visibleValue } from '../text/untrusted.js';
import { readingHints, tool } from './tool.js';

const checkAnswer = z.object(routes.checkPolicy.responses[200].schema.shape);

export const checkPolicy = tool({
  name: 'check_policy',
  title: 'Check a policy',
  description:
    'Dry run: what would be answered if an action were submitted now. Writes nothing and asks nobody.',
  input: z.strictObject({
    action_type: actionType().meta({ description: 'In dot-notation, such as deploy.production' }),
    metadata: z.record(z.string(), z.unknown()).optional().meta({ description: 'For conditions' }),
    agent_id: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .meta({ description: 'Operators: the agent that would submit it. An agent asks for itself' }),
  }),
  output: checkAnswer,
  annotations: readingHints,
  routes: [routes.checkPolicyWithMetadata],
  run: async (body, { api, signal }) => {
    const answer = await api.call(routes.checkPolicyWithMetadata, { body, signal });
    const outcome = answer.allowed
      ? 'would be allowed'
      : answer.needs_approval
        ? 'would need the approval of a person'
        : 'would be denied';
    const policy = answer.policy_name === null ? '' : ` Policy: ${quoted(answer.policy_name)}.`;
    const failed = answer.conditions_evaluated.filter(({ result }) => !result);
    const conditions = failed.map(
      ({ field, operator, expected }) =>
        `${quoted(field)} ${visible(operator)} ${bounded(expected ?? null, 200).text}`,
    );
    return {
      text: `${quoted(answer.action_type)} ${outcome}: ${visible(answer.reason)}.${policy}${conditions.length === 0 ? '' : ` Conditions that fail: ${conditions.join('; ')}.`}`,
      structured: visibleValue(answer) as typeof answer,
    };
  },
});

/** What every caller may see, and for operators the rest. */
const shownPolicy = z.object({
  ...policyView.partial().shape,
  ...policySummary.shape,
});

export const listPolicies = tool({
  name: 'list_policies',
  title: 'List policies',
  description:
    'Lists the policies of the workspace: which action types are allowed, denied or need approval. An agent sees them without conditions.',
  input: z.strictObject({
    action_type: z.string().max(255).optional(),
    active: z.boolean().optional(),
    limit: z.number().int().min(1).max(100).default(50),
    cursor: z.string().max(300).optional().meta({ description: '`next_cursor` of the page before' }),
  }),
  output: z.object({ policies: z.array(shownPolicy), next_cursor: z.string().nullable() }),
  annotations: readingHints,
  routes: [routes.listPolicies],
  run: async ({ active, ...query }, { api, signal }) => {
    const page = await api.call(routes.listPolicies, {
      query: { ...query, ...(active === undefined ? {} : { active: String(active) }), scope: 'org' },
      signal,
    });
    const lines = page.policies.map(
      ({ id, name, action_type, effect, version, active: isActive, has_conditions }) =>
        `${id}: ${quoted(name)}, version ${String(version)}: ${quoted(action_type)} ${effect}${has_conditions ? ' with conditions' : ''}${isActive ? '' : ' (not active)'}`,
    );
    return {
      text: [
        lines.length === 0 ? 'There is no such policy.' : `Policies: ${String(lines.length)}`,
        ...lines,
        ...(page.next_cursor === null ? [] : ['There are more: ask again with next_cursor.']),
      ].join('\n'),
      structured: {
        policies: page.policies.map((policy) => visibleValue(policy) as z.input<typeof shownPolicy>),
        next_cursor: page.next_cursor,
      },
    };
  },
});
