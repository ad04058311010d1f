import { type MemberView, type OperatorRole, Refused, type RemovedMember } from '@agentlattice/contracts';
import { memberDecider, type UpdateMember } from '../domain/member.js';
import type { MemberStore } from '../outbound/member-store.js';
import type { SessionStore } from '../outbound/session-store.js';
import type { PrincipalPorts, RequestContext } from './principal-ports.js';
import { revokeKeys } from './revoke-keys.js';
import { endSessions } from './session-ports.js';

export interface MemberPorts extends PrincipalPorts {
  readonly members: MemberStore;
  readonly sessions: SessionStore;
}

export interface MemberPatch {
  readonly name?: string | undefined;
  readonly role?: OperatorRole | undefined;
  readonly groups?: readonly string[] | undefined;
}

/** @throws Refused NOT_FOUND, FORBIDDEN or LAST_ADMIN */
export const makeUpdateMember =
  ({ store, members, refresh }: MemberPorts) =>
  async (context: RequestContext, memberId: string, patch: MemberPatch): Promise<MemberView> => {
    const { orgId, meta } = context;
    const before = await existingMember(store, orgId, memberId);
    const { role = before.role, name = before.name } = patch;
    if (role !== 'admin') await checkInstanceAdmin(members, context, memberId);
    const renamed = name !== before.name;
    await store.inTransaction(async (tx) => {
      const otherAdmins = await members.lockOtherAdmins(tx, orgId, memberId);
      const { states, events } = await store.events.updateMany({
        tx,
        decider: memberDecider,
        streams: [{ orgId, streamId: memberId, meta }],
        command: (): UpdateMember => ({
          type: 'UpdateMember',
          otherAdmins,
          renamed,
          role: patch.role,
          groups: patch.groups,
        }),
      });
      const [state] = states;
      if (events.length === 0 || state === undefined || state.status === 'none') return;
      await members.change(tx, orgId, memberId, { ...state, name: renamed ? name : null });
    });
    await refresh();
    return existingMember(store, orgId, memberId);
  };
export type ChangeMember = ReturnType<typeof makeUpdateMember>;

/**
 * Removes a member with the own keys and sessions. Keys of agents and automation that the person was shown remain valid,
 * because ending them would stop agents; the answer names them.
 * @throws Refused NOT_FOUND, FORBIDDEN or LAST_ADMIN
 */
export const makeRemoveMember =
  ({ store, members, sessions, refresh }: MemberPorts) =>
  async (context: RequestContext, memberId: string): Promise<RemovedMember> => {
    const { orgId, meta } = context;
    await existingMember(store, orgId, memberId);
    await checkInstanceAdmin(members, context, memberId);
    await store.inTransaction(async (tx) => {
      const otherAdmins = await members.lockOtherAdmins(tx, orgId, memberId);
      await store.events.updateMany({
        tx,
        decider: memberDecider,
        streams: [{ orgId, streamId: memberId, meta }],
        command: () => ({ type: 'RemoveMember' as const, otherAdmins }),
      });
      await members.remove(tx, orgId, memberId);
      // After the row is locked: no session begins any more.
      const ending = await sessions.liveOfMember(tx, orgId, memberId);
      const removed = { type: 'RevokeSession', reason: 'member_removed' } as const;
      await endSessions({ store }, tx, ending, removed, () => meta);
      const keys = (await members.keysOf(tx, orgId, memberId)).map((id) => ({ orgId, id }));
      await revokeKeys({ store }, tx, keys, meta);
    });
    await refresh();
    return { id: memberId, removed: true, held_keys: await members.heldKeys(orgId, memberId) };
  };
export type RemoveMember = ReturnType<typeof makeRemoveMember>;

async function existingMember(
  store: MemberPorts['store'],
  orgId: string,
  memberId: string,
): Promise<MemberView> {
  const member = await store.member(orgId, memberId);
  if (member === undefined) throw new Refused('NOT_FOUND', 'there is no such member in this workspace');
  return member;
}

/** Otherwise any administrator of that workspace could end the last key that makes workspaces (decisions §3.7). */
async function checkInstanceAdmin(
  members: MemberStore,
  { orgId, memberId: caller, instanceAdmin }: RequestContext,
  memberId: string,
): Promise<void> {
  if (instanceAdmin && caller === memberId) return;
  if (await members.isInstanceAdmin(orgId, memberId))
    throw new Refused(
      'FORBIDDEN',
      'this member is the instance administrator; only that person can give the role up or leave this workspace',
    );
}
