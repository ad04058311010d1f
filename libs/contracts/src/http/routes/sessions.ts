import { z } from 'zod';
import { givenName, rulesBeyondSchema, typeId } from '../../primitives.js';
import { newPassword, sessionItem, sessionView } from '../../principals/sessions.js';
import { ok, route } from '../route.js';

const setsCookie = { 'Set-Cookie': 'The session cookie `__Host-al_session`: HttpOnly, Secure, SameSite=Lax' };
/** A call with a key has no session: 404. */
const own = { tag: 'Sessions', callers: ['operator:viewer'] } as const;
/** Any text may be tried; only one that was set is right. */
const givenPassword = z.string().min(1).max(256);
const differs = 'must differ from the current password';

export const sessionRoutes = {
  signInMethods: route({
    id: 'signInMethods',
    method: 'GET',
    path: '/api/v1/sign-in',
    tag: 'Sessions',
    summary: 'How people sign in here',
    callers: 'public',
    responses: {
      200: ok(
        z
          .object({
            password: z.boolean(),
            oidc: z.object({ name: z.string(), start_url: z.string() }).nullable(),
          })
          .meta({ id: 'SignInMethods' }),
      ),
    },
  }),
  signIn: route({
    id: 'signIn',
    method: 'POST',
    path: '/api/v1/sign-in',
    tag: 'Sessions',
    summary: 'Sign in with e-mail and password',
    description:
      'Starts a session in the workspace of the last one. An unknown address, a wrong password and a person without a workspace get the same answer after the same work. Tries are limited for each address of mail and each network address.',
    callers: 'public',
    body: z.strictObject({ email: z.string().min(1).max(254), password: givenPassword }),
    responses: { 200: { ...ok(sessionView), headers: setsCookie } },
    errors: ['INVALID_CREDENTIALS', 'TOO_MANY_ATTEMPTS', 'CSRF', 'FORBIDDEN'],
  }),
  acceptInvitationLink: route({
    id: 'acceptInvitationLink',
    method: 'POST',
    path: '/api/v1/invitations/accept',
    tag: 'Sessions',
    summary: 'Accept an invitation by its link, and sign in',
    description:
      'A person without an account sets the password; a person with one gives it. A link that was used, replaced or is older than seven days is 404.',
    callers: 'public',
    body: z.strictObject({
      token: z.string().min(1).max(200),
      name: givenName().optional(),
      password: newPassword(),
    }),
    responses: { 200: { ...ok(sessionView), headers: setsCookie } },
    errors: [
      'NOT_FOUND',
      'INVALID_CREDENTIALS',
      'INVITATION_ANSWERED',
      'TOO_MANY_ATTEMPTS',
      'CSRF',
      'FORBIDDEN',
    ],
  }),
  getSession: route({
    ...own,
    id: 'getSession',
    method: 'GET',
    path: '/api/v1/session',
    summary: 'The session of this call',
    responses: { 200: ok(sessionView) },
    errors: ['NOT_FOUND'],
  }),
  signOut: route({
    ...own,
    id: 'signOut',
    method: 'DELETE',
    path: '/api/v1/session',
    summary: 'Sign out',
    responses: { 200: ok(z.object({ id: typeId('ses') })) },
    errors: ['NOT_FOUND'],
  }),
  extendSession: route({
    ...own,
    id: 'extendSession',
    method: 'POST',
    path: '/api/v1/session/extend',
    summary: 'Extend the session, up to the end of its life',
    responses: { 200: ok(sessionView) },
    errors: ['NOT_FOUND'],
  }),
  switchWorkspace: route({
    ...own,
    id: 'switchWorkspace',
    method: 'POST',
    path: '/api/v1/session/workspace',
    summary: 'Go on in another workspace of the person: the session is replaced by a new one there',
    body: z.strictObject({ org_id: typeId('org') }),
    responses: { 200: { ...ok(sessionView), headers: setsCookie } },
    errors: ['NOT_FOUND'],
  }),
  changePassword: route({
    ...own,
    id: 'changePassword',
    method: 'POST',
    path: '/api/v1/session/password',
    summary: 'Change the password; all other sessions of the person end',
    body: z
      .strictObject({ current_password: givenPassword, new_password: newPassword() })
      // A person who was told the present one would know the new one too.
      .refine((body) => body.new_password !== body.current_password, {
        path: ['new_password'],
        error: differs,
      })
      .meta(rulesBeyondSchema(differs)),
    responses: { 200: { ...ok(sessionView), headers: setsCookie } },
    errors: ['NOT_FOUND', 'INVALID_CREDENTIALS', 'TOO_MANY_ATTEMPTS'],
  }),
  listSessions: route({
    ...own,
    id: 'listSessions',
    method: 'GET',
    path: '/api/v1/sessions',
    summary: 'The sessions of the person, in all workspaces',
    responses: { 200: ok(z.object({ sessions: z.array(sessionItem) }), 'Newest first') },
    errors: ['NOT_FOUND'],
  }),
  revokeSession: route({
    ...own,
    id: 'revokeSession',
    method: 'DELETE',
    path: '/api/v1/sessions/{session_id}',
    summary: 'End a session of the person, everywhere within a second',
    params: z.object({ session_id: z.string().min(1).max(255) }),
    responses: { 200: ok(z.object({ id: typeId('ses') })) },
    errors: ['NOT_FOUND'],
  }),
} as const;
