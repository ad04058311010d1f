import { serviceScopes } from '@agentlattice/contracts';
import type { EventMeta } from '@agentlattice/event-store';
import { typeid } from 'typeid-js';
import { z } from 'zod';
import { agentDecider } from '../domain/agent.js';
import { ownedBy } from '../domain/key-maker.js';
import type { PrincipalStore } from '../outbound/principal-store.js';
import { hashPassword } from '../outbound/passwords.js';
import { liveSessionsOf } from '../outbound/session-store.js';
import { firstEventOf, firstEventOfMember, firstEventOfWorkspace } from './first-events.js';
import { newKey } from './new-key.js';
import { endSessions } from './session-ports.js';

/** The part of credentials.json that the gateway must know. */
export const firstCredentials = z.object({
  org_id: z.string(),
  admin: z.object({ email: z.string(), password: z.string(), api_key: z.string() }),
  service_key: z.string(),
  agent: z.object({ id: z.string(), name: z.string(), api_key: z.string() }),
});
export type FirstCredentials = z.infer<typeof firstCredentials>;

const meta: EventMeta = {
  actor: { kind: 'system', id: null, key_id: null, via: 'system' },
  correlation_id: null,
  traceparent: null,
};

/**
 * Makes the workspace, administrator, agent and keys of the credentials file where the database lacks them. Runs at every
 * start, in one transaction; a revoked key stays revoked. When the administrator's key is not known, the file is new, and
 * its password becomes the administrator's.
 */
export async function ensureFirstWorkspace(
  store: PrincipalStore,
  credentials: FirstCredentials,
): Promise<void> {
  const { org_id: orgId, admin, agent, service_key } = credentials;
  await store.inTransaction(async (tx) => {
    const streams: Parameters<PrincipalStore['begin']>[3][number][] = [];
    if (await store.insertWorkspace(tx, orgId, 'Default'))
      streams.push(firstEventOfWorkspace(orgId, 'Default'));
    const person = {
      id: typeid('mbr').toString(),
      email: admin.email,
      passwordHash: null,
      instanceAdmin: true,
      proven: true,
    };
    const { personId: memberId } = await store.ensurePerson(tx, orgId, person);
    const adminKey = newKey(
      { name: 'administrator', kind: 'operator', role: 'admin', memberId },
      ownedBy(memberId),
      admin.api_key,
    );
    if (!(await store.keyIsKnown(tx, adminKey.hash))) {
      await store.settlePerson(tx, memberId, orgId, await hashPassword(admin.password));
      // As with every change of a password: a thief of the old one is signed out.
      const command = { type: 'RevokeSession', reason: 'password_changed' } as const;
      await endSessions({ store }, tx, await liveSessionsOf(tx, memberId), command, () => meta);
    }
    const member = {
      id: memberId,
      personId: memberId,
      email: admin.email,
      name: 'Administrator',
      role: 'admin',
      groups: [],
      status: 'active',
    } as const;
    if (await store.insertMembership(tx, orgId, member))
      streams.push(firstEventOfMember('CreateMember', member));
    const first = {
      id: agent.id,
      name: agent.name,
      description: null,
      ownerMemberId: memberId,
      registrants: [memberId],
      delegation: null,
    };
    if (await store.insertAgent(tx, orgId, first)) {
      // When the name is taken, the agent of the credentials file is made without holding it.
      await store.takeAgentName(tx, orgId, first);
      streams.push({
        id: agent.id,
        events: agentDecider.decide({ type: 'RegisterAgent', ...first }, agentDecider.initialState()),
      });
    }
    const byAdmin = { ...ownedBy(memberId), own: false };
    for (const key of [
      adminKey,
      newKey({ name: 'automation', kind: 'service', scopes: serviceScopes }, byAdmin, service_key),
      newKey({ name: agent.name, kind: 'agent', agentId: agent.id }, byAdmin, agent.api_key),
    ]) {
      if (await store.keyIsKnown(tx, key.hash)) continue;
      await store.insertKey(tx, orgId, key);
      streams.push(firstEventOf(key));
    }
    if (streams.length > 0) await store.begin(tx, orgId, meta, streams);
  });
}
