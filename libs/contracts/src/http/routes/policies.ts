import { z } from 'zod';
import { policyInput, policyPatch, policySummary, policyVersion, policyView } from '../../policy/policy.js';
import { cursor, limit } from '../../primitives.js';
import { ok, route } from '../route.js';

const params = z.object({ policy_id: z.string().min(1).max(255) });
const ifMatch = z.object({
  'if-match': z.string().max(255).optional().meta({ description: 'ETag of the version to change' }),
});
const write = ['operator:admin', 'service:policies:write'] as const;
const read = ['operator:viewer', 'service:policies:read'] as const;
const etag = { ETag: 'The version, in quotes' };

export const policyRoutes = {
  listPolicies: route({
    id: 'listPolicies',
    method: 'GET',
    path: '/api/v1/policies',
    tag: 'Policies',
    summary: 'The policies of the workspace',
    description:
      'An agent sees names and effects without conditions. `scope` is what the published client sends: `own` leaves out policies that are not active. Without it an agent gets `own` and every other caller `org`.',
    callers: ['agent', ...read],
    query: z.object({
      scope: z.enum(['own', 'org']).optional(),
      action_type: z.string().max(255).optional(),
      active: z.enum(['true', 'false']).optional(),
      cursor: cursor().optional(),
      limit: limit(200, 50),
    }),
    responses: {
      200: ok(
        z.object({
          scope: z.enum(['own', 'org']),
          policies: z.array(z.union([policyView, policySummary])),
          next_cursor: z.string().nullable(),
        }),
      ),
    },
  }),
  createPolicy: route({
    id: 'createPolicy',
    method: 'POST',
    path: '/api/v1/policies',
    tag: 'Policies',
    summary: 'Create a policy',
    callers: write,
    body: policyInput,
    responses: { 201: { ...ok(policyView, 'Created'), headers: { ...etag, Location: 'The policy' } } },
    errors: ['POLICY_NAME_TAKEN'],
  }),
  getPolicy: route({
    id: 'getPolicy',
    method: 'GET',
    path: '/api/v1/policies/{policy_id}',
    tag: 'Policies',
    summary: 'One policy',
    callers: read,
    params,
    responses: { 200: { ...ok(policyView), headers: etag } },
    errors: ['NOT_FOUND'],
  }),
  updatePolicy: route({
    id: 'updatePolicy',
    method: 'PATCH',
    path: '/api/v1/policies/{policy_id}',
    tag: 'Policies',
    summary: 'Change members of a policy',
    callers: write,
    headers: ifMatch,
    params,
    body: policyPatch,
    responses: { 200: { ...ok(policyView), headers: etag } },
    errors: ['NOT_FOUND', 'POLICY_NAME_TAKEN', 'PRECONDITION_FAILED'],
  }),
  deletePolicy: route({
    id: 'deletePolicy',
    method: 'DELETE',
    path: '/api/v1/policies/{policy_id}',
    tag: 'Policies',
    summary: 'Delete a policy; its versions are kept',
    callers: write,
    headers: ifMatch,
    params,
    responses: { 200: ok(z.object({ id: z.string(), deleted: z.literal(true), version: z.number().int() })) },
    errors: ['NOT_FOUND', 'PRECONDITION_FAILED'],
  }),
  listPolicyVersions: route({
    id: 'listPolicyVersions',
    method: 'GET',
    path: '/api/v1/policies/{policy_id}/versions',
    tag: 'Policies',
    summary: 'Every version of a policy, newest first',
    callers: read,
    params,
    query: z.object({ cursor: cursor().optional(), limit: limit(200, 50) }),
    responses: {
      200: ok(z.object({ versions: z.array(policyVersion), next_cursor: z.string().nullable() })),
    },
    errors: ['NOT_FOUND'],
  }),
} as const;
