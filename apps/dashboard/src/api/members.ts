import type { InvitationView, MemberView, OperatorRole } from '@agentlattice/contracts';
import { call, pathSegment } from './client.js';
import { loadAll } from './paged.js';

export type Member = MemberView;
export type Invitation = InvitationView;

/** A member that was added; with the link of an invitation when no password was given. */
export type NewMember = Member & {
  readonly invitation?: { readonly link: string; readonly expires_at: string };
};

export interface MemberInput {
  readonly email: string;
  readonly name: string;
  readonly role: OperatorRole;
  readonly groups: readonly string[];
  readonly password?: string;
}

const path = '/api/v1/members';
export const membersKey = ['members'] as const;

export const listMembers = (cursor?: string, signal?: AbortSignal) =>
  call<{ members: readonly Member[]; next_cursor: string | null }>('GET', path, {
    query: { cursor, limit: 100 },
    ...(signal === undefined ? {} : { signal }),
  });
export const allMembers = () => loadAll(listMembers, ({ members }) => members);
export const addMember = (body: MemberInput) => call<NewMember>('POST', path, { body });
export const changeMember = (
  id: string,
  body: { readonly name?: string; readonly role?: OperatorRole; readonly groups?: readonly string[] },
) => call<Member>('PATCH', `${path}/${pathSegment(id)}`, { body });
export const removeMember = (id: string) => call<unknown>('DELETE', `${path}/${pathSegment(id)}`);

const invitations = '/api/v1/invitations';
export const invitationsKey = ['invitations'] as const;
export const listInvitations = (cursor?: string) =>
  call<{ invitations: readonly Invitation[]; next_cursor: string | null }>('GET', invitations, {
    query: { cursor, limit: 50 },
  });
export const joinWorkspace = (id: string) =>
  call<unknown>('POST', `${invitations}/${pathSegment(id)}/accept`, { body: {} });
export const declineInvitation = (id: string) =>
  call<Invitation>('POST', `${invitations}/${pathSegment(id)}/decline`, { body: {} });
