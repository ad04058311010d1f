import { z } from 'zod';
import {
  cursor,
  duration,
  givenEmail,
  givenGroup,
  givenInstant,
  givenName,
  instant,
  limit,
  operatorRoles,
  rulesBeyondSchema,
  serviceScopes,
  typeId,
} from '../../primitives.js';
import { delegationView } from '../../delegation/delegation.js';
import {
  agentView,
  invitationLink,
  invitationView,
  keyView,
  memberView,
  newKeyView,
  newMemberView,
  removedMember,
} from '../../principals/principals.js';
import { newPassword } from '../../principals/sessions.js';
import { policySummary } from '../../policy/policy.js';
import { decisionReason } from '../../approval/approval.js';
import { keyKinds, pendingOnSuspension } from '../../events/principals.js';
import { mcpElicitation } from '../mcp.js';
import { ok, route } from '../route.js';

const name = givenName();
const page = z.object({ cursor: cursor().optional(), limit: limit(200, 50) });
const agentParams = z.object({ agent_id: z.string().min(1).max(255) });
const invitationParams = z.object({ invitation_id: z.string().min(1).max(255) });
const memberParams = z.object({ member_id: z.string().min(1).max(255) });
const keyParams = z.object({ key_id: z.string().min(1).max(255) });
const password = newPassword();

const endingInstanceKeys =
  'A key with rights over the instance can be revoked or rotated only by its person, with a key that also has them; others get FORBIDDEN.';

const whoami = z
  .object({
    config_id: z.string().meta({ description: 'Id of the agent, member or key that calls' }),
    kind: z.enum(['agent', 'operator', 'service']),
    name: z.string(),
    org_id: typeId('org'),
    is_active: z.boolean(),
    cb_state: z.enum(['closed', 'open']).meta({ description: '`open` when the agent is suspended' }),
    role: z.enum(operatorRoles).nullable(),
    instance_admin: z
      .boolean()
      .meta({ description: 'Whether this key may create workspaces; shown to this key only' }),
    scopes: z.array(z.enum(serviceScopes)),
    mcp_elicitation: z.enum(mcpElicitation).optional().meta({
      description:
        'Of operators: whether the MCP server decides only after the client has asked the person (`required`), or where the client can (`offered`)',
    }),
    calibration: z.object({}),
    policies: z.array(policySummary),
    delegations: z.object({ as_parent: z.array(delegationView), as_child: z.array(delegationView) }),
  })
  .meta({ id: 'WhoAmI' });

export const principalRoutes = {
  whoami: route({
    id: 'whoami',
    method: 'GET',
    path: '/api/v1/whoami',
    tag: 'Agent',
    summary: 'The principal of this key',
    callers: ['agent', 'service', 'operator:viewer'],
    responses: { 200: ok(whoami) },
  }),
  registerAgent: route({
    id: 'registerAgent',
    method: 'POST',
    path: '/api/agents/register',
    tag: 'Agents',
    summary: 'Register an agent and get its key',
    callers: ['service:agents:register', 'operator:admin'],
    body: z.strictObject({
      name,
      description: z
        .string()
        .max(2000)
        .nullish()
        .transform((v) => v ?? null),
    }),
    responses: {
      201: ok(
        z
          .object({ id: typeId('agt'), name: z.string(), api_key: z.string(), created_at: instant() })
          .meta({ id: 'RegisteredAgent' }),
        'The key is shown once',
      ),
    },
    errors: ['NAME_TAKEN'],
  }),
  listAgents: route({
    id: 'listAgents',
    method: 'GET',
    path: '/api/v1/agents',
    tag: 'Agents',
    summary: 'The agents of the workspace',
    callers: ['operator:viewer'],
    query: page,
    responses: { 200: ok(z.object({ agents: z.array(agentView), next_cursor: z.string().nullable() })) },
  }),
  getAgent: route({
    id: 'getAgent',
    method: 'GET',
    path: '/api/v1/agents/{agent_id}',
    tag: 'Agents',
    summary: 'One agent',
    callers: ['operator:viewer'],
    params: agentParams,
    responses: { 200: ok(agentView) },
    errors: ['NOT_FOUND'],
  }),
  suspendAgent: route({
    id: 'suspendAgent',
    method: 'POST',
    path: '/api/v1/agents/{agent_id}/suspend',
    tag: 'Agents',
    summary: 'Suspend the agent: every submission is denied, and it gets no grant',
    description:
      'In effect at this gateway when the answer is sent, and at every other within a second. No answer lets the agent act until it is resumed, even if a person approves meanwhile.',
    callers: ['operator:admin'],
    params: agentParams,
    body: z.strictObject({
      reason: decisionReason.optional(),
      pending: z
        .enum(pendingOnSuspension)
        .default('keep')
        .meta({ description: 'Whether pending requests stay pending or are cancelled' }),
    }),
    responses: { 200: ok(agentView) },
    errors: ['NOT_FOUND', 'ALREADY_SUSPENDED'],
  }),
  resumeAgent: route({
    id: 'resumeAgent',
    method: 'POST',
    path: '/api/v1/agents/{agent_id}/resume',
    tag: 'Agents',
    summary: 'Resume the agent: the policies apply again',
    callers: ['operator:admin'],
    params: agentParams,
    body: z.strictObject({}),
    responses: { 200: ok(agentView) },
    errors: ['NOT_FOUND', 'NOT_SUSPENDED'],
  }),
  listMembers: route({
    id: 'listMembers',
    method: 'GET',
    path: '/api/v1/members',
    tag: 'Members',
    summary: 'The people of the workspace',
    callers: ['operator:viewer'],
    query: page,
    responses: { 200: ok(z.object({ members: z.array(memberView), next_cursor: z.string().nullable() })) },
  }),
  createMember: route({
    id: 'createMember',
    method: 'POST',
    path: '/api/v1/members',
    tag: 'Members',
    summary: 'Add a person, or invite one who has an account already',
    description:
      'Without a password the person is invited: the answer has a link, once, which works once and for seven days, and a mail with a link of its own is sent where a mail server is set. With a password a new address makes an account, which is active at once; an address that belongs to an account already makes an invitation (`status: invited`): the password is not used, and the person takes no part in the workspace before accepting.',
    callers: ['operator:admin'],
    body: z.strictObject({
      email: givenEmail(),
      name,
      role: z.enum(operatorRoles),
      groups: z.array(givenGroup()).max(50).default([]),
      password: password.optional(),
    }),
    responses: { 201: ok(newMemberView, 'Made') },
    errors: ['EMAIL_TAKEN'],
  }),
  updateMember: route({
    id: 'updateMember',
    method: 'PATCH',
    path: '/api/v1/members/{member_id}',
    tag: 'Members',
    summary: 'Change the name, role or groups of a member',
    description:
      'In effect at every gateway within a second. Votes on open requests that the member could not cast any more are withdrawn. The role of the instance administrator in the own workspace can be lowered only by that person.',
    callers: ['operator:admin'],
    params: memberParams,
    body: z.strictObject({
      name: name.optional(),
      role: z.enum(operatorRoles).optional(),
      groups: z.array(givenGroup()).max(50).optional(),
    }),
    responses: { 200: ok(memberView) },
    errors: ['NOT_FOUND', 'LAST_ADMIN'],
  }),
  removeMember: route({
    id: 'removeMember',
    method: 'DELETE',
    path: '/api/v1/members/{member_id}',
    tag: 'Members',
    summary: 'Remove a member, or take an invitation back',
    description:
      'The keys and sessions of the member end everywhere within a second, and the votes on open requests are withdrawn. A later membership of the same person has another id. The instance administrator can be removed from the own workspace only by that person.',
    callers: ['operator:admin'],
    params: memberParams,
    responses: { 200: ok(removedMember) },
    errors: ['NOT_FOUND', 'LAST_ADMIN'],
  }),
  renewInvitation: route({
    id: 'renewInvitation',
    method: 'POST',
    path: '/api/v1/members/{member_id}/invitation',
    tag: 'Members',
    summary: 'A new link for a person who was invited; earlier links end',
    callers: ['operator:admin'],
    params: memberParams,
    responses: { 201: ok(invitationLink, 'Made') },
    errors: ['NOT_FOUND', 'INVITATION_ANSWERED'],
  }),
  listInvitations: route({
    id: 'listInvitations',
    method: 'GET',
    path: '/api/v1/invitations',
    tag: 'Members',
    summary: 'The workspaces that the caller was invited to',
    description: 'With a key that the person made; a key made by another person gets OWN_KEY_NEEDED.',
    callers: ['operator:viewer'],
    query: page,
    responses: {
      200: ok(z.object({ invitations: z.array(invitationView), next_cursor: z.string().nullable() })),
    },
    errors: ['OWN_KEY_NEEDED'],
  }),
  acceptInvitation: route({
    id: 'acceptInvitation',
    method: 'POST',
    path: '/api/v1/invitations/{invitation_id}/accept',
    tag: 'Members',
    summary: 'Become a member of the workspace, and get the first key there',
    callers: ['operator:viewer'],
    params: invitationParams,
    responses: {
      200: ok(
        z
          .object({ org_id: typeId('org'), member: memberView, api_key: z.string() })
          .meta({ id: 'AcceptedInvitation' }),
        'The key is shown once',
      ),
    },
    errors: ['NOT_FOUND', 'OWN_KEY_NEEDED', 'INVITATION_ANSWERED'],
  }),
  declineInvitation: route({
    id: 'declineInvitation',
    method: 'POST',
    path: '/api/v1/invitations/{invitation_id}/decline',
    tag: 'Members',
    summary: 'Decline the invitation; it can still be accepted later',
    callers: ['operator:viewer'],
    params: invitationParams,
    responses: { 200: ok(invitationView) },
    errors: ['NOT_FOUND', 'OWN_KEY_NEEDED', 'INVITATION_ANSWERED'],
  }),
  listKeys: route({
    id: 'listKeys',
    method: 'GET',
    path: '/api/v1/keys',
    tag: 'Keys',
    summary: 'The keys of the workspace, without their secrets',
    callers: ['operator:admin'],
    query: page,
    responses: { 200: ok(z.object({ keys: z.array(keyView), next_cursor: z.string().nullable() })) },
  }),
  createKey: route({
    id: 'createKey',
    method: 'POST',
    path: '/api/v1/keys',
    tag: 'Keys',
    summary: 'Create a key',
    callers: ['operator:admin'],
    body: z
      .strictObject({
        name,
        kind: z.enum(keyKinds),
        role: z.enum(operatorRoles).optional(),
        member_id: typeId('mbr').optional(),
        agent_id: typeId('agt').optional(),
        scopes: z.array(z.enum(serviceScopes)).min(1).max(serviceScopes.length).optional(),
        expires_at: givenInstant().optional(),
      })
      .superRefine((key, context) => {
        const need = { operator: ['member_id'], agent: ['agent_id'], service: ['scopes'] } as const;
        const may = { operator: ['role', 'member_id'], agent: ['agent_id'], service: ['scopes'] } as const;
        const present = (member: 'role' | 'member_id' | 'agent_id' | 'scopes') => key[member] !== undefined;
        const fault = (member: string, message: string) => {
          context.addIssue({ code: 'custom', path: [member], message });
        };
        for (const member of need[key.kind])
          if (!present(member)) fault(member, `is needed for a key of kind ${key.kind}`);
        for (const member of ['role', 'member_id', 'agent_id', 'scopes'] as const)
          if (present(member) && !(may[key.kind] as readonly string[]).includes(member))
            fault(member, `does not belong to a key of kind ${key.kind}`);
      })
      .meta(rulesBeyondSchema('is needed for a key of kind …', 'does not belong to a key of kind …')),
    responses: { 201: ok(newKeyView, 'The key is shown once') },
    errors: ['NOT_FOUND', 'MEMBERSHIP_NOT_ACCEPTED'],
  }),
  rotateKey: route({
    id: 'rotateKey',
    method: 'POST',
    path: '/api/v1/keys/{key_id}/rotate',
    tag: 'Keys',
    summary: 'Replace a key; the old one works for the overlap',
    description: endingInstanceKeys,
    callers: ['operator:admin'],
    params: keyParams,
    body: z.strictObject({ overlap: z.union([z.literal('0s'), duration()]).default('24h') }),
    responses: { 201: ok(newKeyView, 'The new key is shown once') },
    errors: ['NOT_FOUND', 'KEY_REVOKED'],
  }),
  revokeKey: route({
    id: 'revokeKey',
    method: 'DELETE',
    path: '/api/v1/keys/{key_id}',
    tag: 'Keys',
    summary: 'Revoke a key, everywhere within a second',
    description: endingInstanceKeys,
    callers: ['operator:admin'],
    params: keyParams,
    responses: { 200: ok(keyView) },
    errors: ['NOT_FOUND'],
  }),
  createWorkspace: route({
    id: 'createWorkspace',
    method: 'POST',
    path: '/api/v1/workspaces',
    tag: 'Workspaces',
    summary: 'Create a workspace with its first administrator',
    description:
      'With a key of role admin that the instance administrator made, in the workspace where their account was made. The first administrator is a new person or the caller: no other person becomes a member without consent.',
    callers: ['instance_admin'],
    body: z.strictObject({ name, admin: z.strictObject({ email: givenEmail(), name, password }) }),
    responses: {
      201: ok(
        z
          .object({
            org_id: typeId('org'),
            admin: z.object({
              email: z.string(),
              api_key: z.string(),
              password_set: z.boolean().meta({
                description: 'False when the administrator is the caller, whose password stays as it is',
              }),
            }),
            service_key: z.string(),
          })
          .meta({ id: 'NewWorkspace' }),
        'The keys are shown once',
      ),
    },
    errors: ['EMAIL_TAKEN'],
  }),
} as const;
