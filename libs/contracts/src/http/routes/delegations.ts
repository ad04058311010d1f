import { z } from 'zod';
import {
  delegationCapabilities,
  delegationRoles,
  delegationTtl,
  delegationView,
  revokedDelegation,
} from '../../delegation/delegation.js';
import { cursor, givenName, instant, limit, typeId } from '../../primitives.js';
import { ok, route } from '../route.js';

const whoMayRevoke =
  'By the parent, an agent above it, or an administrator; for others it does not exist. Ends all delegations below it as well.';

export const delegationRoutes = {
  delegate: route({
    id: 'delegate',
    method: 'POST',
    path: '/api/v1/delegate',
    tag: 'Delegation',
    summary: 'Make a child agent that acts for this one, with some of its capabilities, for a time',
    description:
      'Each capability must be covered by one of the parent. The child is denied whatever the parent would be denied at that moment. Its name is the given one and a part of the id of the delegation.',
    callers: ['agent'],
    body: z.strictObject({
      name: givenName(),
      capabilities: delegationCapabilities,
      ttl_seconds: delegationTtl,
    }),
    responses: {
      201: ok(
        z
          .object({
            delegation_id: typeId('del'),
            child_api_key: z.string(),
            child_agent_id: typeId('agt'),
            child_name: z.string(),
            expires_at: instant(),
          })
          .meta({ id: 'NewDelegation' }),
        'The key is shown once',
      ),
    },
    errors: ['AGENT_SUSPENDED', 'DELEGATION_SCOPE', 'DELEGATION_LIMIT'],
  }),
  endDelegation: route({
    id: 'endDelegation',
    method: 'DELETE',
    path: '/api/v1/delegate/{delegation_id}',
    tag: 'Delegation',
    summary: 'Revoke a delegation',
    description: whoMayRevoke,
    callers: ['agent', 'operator:admin'],
    params: z.object({ delegation_id: z.string().min(1).max(255) }),
    responses: { 200: ok(revokedDelegation) },
    errors: ['NOT_FOUND'],
  }),
  listDelegations: route({
    id: 'listDelegations',
    method: 'GET',
    path: '/api/v1/delegations',
    tag: 'Delegation',
    summary: 'Delegations, newest first: those that the agent gave or lives by; all of them for people',
    callers: ['agent', 'operator:viewer'],
    query: z.object({
      role: z
        .enum(delegationRoles)
        .optional()
        .meta({ description: 'Only those in which the calling agent has this part' }),
      active_only: z.enum(['true', 'false']).default('false'),
      cursor: cursor().optional(),
      limit: limit(200, 50),
    }),
    responses: {
      200: ok(z.object({ delegations: z.array(delegationView), next_cursor: z.string().nullable() })),
    },
  }),
  revokeDelegation: route({
    id: 'revokeDelegation',
    method: 'POST',
    path: '/api/v1/delegations/revoke',
    tag: 'Delegation',
    summary: 'Revoke a delegation',
    description: whoMayRevoke,
    callers: ['agent', 'operator:admin'],
    body: z.strictObject({ delegation_id: z.string().min(1).max(255) }),
    responses: { 200: ok(revokedDelegation) },
    errors: ['NOT_FOUND'],
  }),
} as const;
