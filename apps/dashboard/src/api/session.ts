import { call } from './client.js';
import type { Session, SignInOptions } from './types.js';

export const sessionKey = ['session'] as const;

export const getSession = () => call<Session>('GET', '/api/v1/session');
export const extendSession = () => call<Session>('POST', '/api/v1/session/extend');
export const signOut = () => call<undefined>('DELETE', '/api/v1/session');
export const signIn = (body: { email: string; password: string }) =>
  call<Session>('POST', '/api/v1/sign-in', { body });
export const getSignInOptions = () => call<SignInOptions>('GET', '/api/v1/sign-in');
export const switchWorkspace = (orgId: string) =>
  call<Session>('POST', '/api/v1/session/workspace', { body: { org_id: orgId } });
export const changePassword = (body: { current_password: string; new_password: string }) =>
  call<Session>('POST', '/api/v1/session/password', { body });
export const acceptInvitation = (body: { token: string; name?: string; password: string }) =>
  call<Session>('POST', '/api/v1/invitations/accept', { body });
