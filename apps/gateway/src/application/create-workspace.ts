import { Refused, serviceScopes } from '@agentlattice/contracts';
import type { EventMeta } from '@agentlattice/event-store';
import { typeid } from 'typeid-js';
import { ownedBy } from '../domain/key-maker.js';
import { hashPassword } from '../outbound/passwords.js';
import { firstEventOf, firstEventOfMember, firstEventOfWorkspace } from './first-events.js';
import { newKey } from './new-key.js';
import type { PrincipalPorts } from './principal-ports.js';

/** The instance administrator who makes a workspace. */
export interface Founder {
  readonly orgId: string;
  readonly personId: string;
  readonly meta: EventMeta;
}

export interface NewWorkspace {
  readonly orgId: string;
  readonly adminKey: string;
  readonly serviceKey: string;
  /** False when the administrator is the founder, whose password does not change. */
  readonly passwordSet: boolean;
}

/**
 * Makes a workspace with its first administrator: a new person, or the founder. The new log names no member of another
 * workspace; the founder's log records who made the workspace.
 * @throws Refused EMAIL_TAKEN for another person's account: an account joins a workspace by consent only
 */
export const makeCreateWorkspace =
  ({ store, refresh }: PrincipalPorts) =>
  async (
    founder: Founder,
    name: string,
    { email, name: adminName, password }: { email: string; name: string; password: string },
  ): Promise<NewWorkspace> => {
    const orgId = typeid('org').toString();
    const person = {
      id: typeid('mbr').toString(),
      email,
      passwordHash: await hashPassword(password),
      // The instance administrator, whose member id in the first workspace is that of the person.
      passwordKnownTo: [founder.personId],
      proven: true,
    };
    const meta: EventMeta = {
      ...founder.meta,
      actor: { kind: 'system', id: null, key_id: null, via: 'system' },
    };
    const made = await store.inTransaction(async (tx) => {
      await store.insertWorkspace(tx, orgId, name);
      const { personId, isNew } = await store.ensurePerson(tx, orgId, person);
      if (!isNew && personId !== founder.personId)
        throw new Refused(
          'EMAIL_TAKEN',
          'an account with this address exists; make the workspace with yourself or a new person as its administrator and invite that person',
        );
      const member = { id: personId, personId, email, name: adminName, role: 'admin', groups: [] } as const;
      await store.insertMembership(tx, orgId, { ...member, status: 'active' });
      const adminKey = newKey(
        { name: 'administrator', kind: 'operator', role: 'admin', memberId: personId },
        ownedBy(personId),
      );
      const serviceKey = newKey(
        { name: 'automation', kind: 'service', scopes: serviceScopes },
        { ...ownedBy(personId), own: false },
      );
      for (const key of [adminKey, serviceKey]) await store.insertKey(tx, orgId, key);
      await store.begin(tx, orgId, meta, [
        firstEventOfWorkspace(orgId, name),
        firstEventOfMember('CreateMember', member),
        firstEventOf(adminKey),
        firstEventOf(serviceKey),
      ]);
      await store.begin(tx, founder.orgId, founder.meta, [firstEventOfWorkspace(orgId, name)]);
      return { orgId, adminKey: adminKey.key, serviceKey: serviceKey.key, passwordSet: isNew };
    });
    await refresh();
    return made;
  };
export type CreateWorkspace = ReturnType<typeof makeCreateWorkspace>;
