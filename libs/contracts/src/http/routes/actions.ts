import { z } from 'zod';
import { digest, instant, rulesBeyondSchema, typeId } from '../../primitives.js';
import { conditionEvaluated, denialReason } from '../../submission/items.js';
import { consumedGrant, grantToken, memberName } from '../../approval/approval.js';
import { ok, route } from '../route.js';
import { actionSubmission, policyCheckRoutes } from './policy-checks.js';

const common = {
  audit_event_id: typeId('evt'),
  conditions_evaluated: z.array(conditionEvaluated),
};
/** Of a request that was decided while the answer was held. */
const decision = {
  reason: z
    .string()
    .nullable()
    .optional()
    .meta({ description: 'The reason that the person gave with the decision' }),
  resolved_by: z.string().nullable().optional().meta({ description: 'Null when the system decided' }),
  resolved_by_name: memberName(),
};
const executed = z
  .object({
    status: z.literal('executed'),
    verdict: z.literal('executed'),
    policy_name: z.string(),
    ...common,
    approval_id: typeId('apr').optional(),
    ...decision,
    grant: z
      .string()
      .optional()
      .meta({ description: 'Compact JWS (EdDSA): with Prefer: grant, and always when a person approved' }),
  })
  .meta({ id: 'ActionExecuted' });
const denied = z
  .object({
    status: z.enum(['denied', 'policy_not_found']),
    verdict: z.literal('denied'),
    denial_reason: denialReason,
    policy_name: z.string().nullable(),
    ...common,
    approval_id: typeId('apr').optional(),
    ...decision,
  })
  .meta({ id: 'ActionDenied' });
const requested = z
  .object({
    status: z.literal('requested'),
    verdict: z.literal('pending_approval'),
    approval_id: typeId('apr'),
    timeout_at: instant(),
    policy_name: z.string(),
    message: z.string(),
    eligible_approvers: z.number().int().min(0).optional().meta({
      description:
        'How many members may decide the request now. With fewer than needed, it was escalated at once',
    }),
    ...common,
  })
  .meta({ id: 'ActionRequested' });

/** Idempotency key of the agent: any string of 1 to 255 characters. */
const eventId = z.string().min(1).max(255);

export const actionRoutes = {
  submitAction: route({
    id: 'submitAction',
    method: 'POST',
    path: '/api/v1/actions',
    tag: 'Agent',
    summary: 'Submit an action and get the verdict',
    description:
      'The verdict is on disk in the audit log before the answer leaves. A request with the same X-AL-Event-ID and the same content gets the first answer again; “same content” ignores timestamp. While the agent is suspended an answer that lets it act is `denied` with AGENT_SUSPENDED instead, also the first answer again.',
    callers: ['agent'],
    headers: z.object({
      'x-al-event-id': eventId.optional().meta({ description: 'Idempotency key, scoped to the agent' }),
      'idempotency-key': eventId.optional().meta({
        description: 'Alias of X-AL-Event-ID',
        ...rulesBeyondSchema('is an alias of X-AL-Event-ID and must be the same'),
      }),
      'x-al-delegation-id': z.string().max(255).optional(),
      prefer: z.string().max(255).optional().meta({
        description:
          'RFC 7240: `wait=N` (N ≤ 60 s) holds the answer until a person has decided or N passes; `grant` asks for a grant in the answer',
      }),
    }),
    body: actionSubmission,
    responses: {
      200: ok(z.union([executed, denied]), 'Allowed or denied'),
      202: ok(requested, 'A person must decide'),
    },
    errors: ['IDEMPOTENCY_KEY_REUSED'],
  }),
  ...policyCheckRoutes,
  issueGrant: route({
    id: 'issueGrant',
    method: 'POST',
    path: '/api/v1/grants',
    tag: 'Agent',
    summary: 'The grant of an action that was allowed',
    callers: ['agent'],
    body: z.strictObject({ audit_event_id: typeId('evt') }),
    responses: {
      200: ok(z.object({ grant: z.string(), expires_at: instant() }), 'The same token at every call'),
    },
    errors: ['NOT_FOUND', 'GRANT_EXPIRED', 'GRANT_NOT_AVAILABLE', 'AGENT_SUSPENDED', 'DELEGATION_SCOPE'],
  }),
  consumeGrant: route({
    id: 'consumeGrant',
    method: 'POST',
    path: '/api/v1/grants/consume',
    tag: 'Agent',
    summary: 'Use up the grant of an approved request, once',
    description:
      'Judged at that moment: refused while the agent is suspended and when a policy denies the action at that moment. Of several concurrent callers one gets 200. Grants of actions that were allowed without approval are not consumed.',
    callers: ['agent', 'service:grants:consume'],
    body: z
      .strictObject({
        grant: grantToken(),
        action_digest: digest().meta({
          description: 'The digest of the action that is about to be executed',
        }),
      })
      .meta({ id: 'ConsumeGrantInput' }),
    responses: { 200: ok(consumedGrant, 'The grant was unused and is now used') },
    errors: [
      'NOT_FOUND',
      'AGENT_SUSPENDED',
      'DELEGATION_SCOPE',
      'POLICY_DENIED',
      'ACTION_MISMATCH',
      'GRANT_EXPIRED',
      'GRANT_CONSUMED',
    ],
  }),
} as const;
