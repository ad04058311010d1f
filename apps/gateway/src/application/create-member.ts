import { type MemberView, Refused } from '@agentlattice/contracts';
import { typeid } from 'typeid-js';
import type { NewMembership } from '../outbound/principal-store.js';
import { hashPassword } from '../outbound/passwords.js';
import { holdersOf } from '../domain/key-maker.js';
import { firstEventOfMember } from './first-events.js';
import type { PrincipalPorts, RequestContext } from './principal-ports.js';

type MemberDraft = Omit<NewMembership, 'id' | 'personId' | 'status'> & { readonly password: string };

/**
 * Adds a person to a workspace. An address that has an account already becomes an invitation under an id of its own: neither
 * the answer nor the log tells whose account it is, the account does not change, and only its person can accept.
 * @throws Refused EMAIL_TAKEN when the person is a member of the workspace already, or was invited
 */
export const makeCreateMember =
  ({ store, refresh }: PrincipalPorts) =>
  async (
    { orgId, meta, originOf }: RequestContext,
    { password, ...draft }: MemberDraft,
  ): Promise<MemberView> => {
    // Also when it is not used: the time of the answer must not reveal whether the address has an account.
    const passwordHash = await hashPassword(password);
    const id = typeid('mbr').toString();
    await store.inTransaction(async (tx) => {
      const passwordKnownTo = holdersOf(originOf(null));
      const person = { id, email: draft.email, passwordHash, passwordKnownTo };
      const { personId, isNew } = await store.ensurePerson(tx, orgId, person);
      const status = isNew ? 'active' : 'invited';
      if (!(await store.insertMembership(tx, orgId, { ...draft, id, personId, status })))
        throw new Refused('EMAIL_TAKEN', 'this person is a member of the workspace already, or was invited');
      const first = firstEventOfMember(isNew ? 'CreateMember' : 'InviteMember', { ...draft, id });
      await store.begin(tx, orgId, meta, [first]);
    });
    await refresh();
    const view = await store.member(orgId, id);
    if (view === undefined) throw new Error('a member that was just made is gone');
    return view;
  };
export type CreateMember = ReturnType<typeof makeCreateMember>;
