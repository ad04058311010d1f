import { createLogger } from '@agentlattice/observability';
import { startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import argon2 from 'argon2';
import pg from 'pg';
import { actorOf, originWith, type Principal } from '../domain/principal.js';
import { migrations } from '../migrations/index.js';
import { InvitationStore } from '../outbound/invitation-store.js';
import { hashOfKey, PrincipalDirectory } from '../outbound/principal-directory.js';
import { PrincipalStore } from '../outbound/principal-store.js';
import { firstCredentialsFor } from '../../test/first-credentials.js';
import { type PrincipalUseCases, principalUseCases } from '../../test/principal-use-cases.js';
import { makeAcceptInvitation } from './accept-invitation.js';
import { makeDeclineInvitation } from './decline-invitation.js';
import { ensureFirstWorkspace } from './ensure-first-workspace.js';
import type { InvitationPorts } from './invitation-ports.js';
import { makeListInvitations } from './list-invitations.js';
import type { RequestContext } from './principal-ports.js';
import { type CreateWorkspace, makeCreateWorkspace } from './create-workspace.js';

type Operator = Extract<Principal, { kind: 'operator' }> & { readonly keyId: string };
const password = 'a long password';

const invitationUseCases = (ports: InvitationPorts) => ({
  list: makeListInvitations(ports),
  accept: makeAcceptInvitation(ports),
  decline: makeDeclineInvitation(ports),
});

describe('people of several workspaces', () => {
  let postgres: TestPostgres;
  let pool: pg.Pool;
  let store: PrincipalStore;
  let directory: PrincipalDirectory;
  let principals: PrincipalUseCases;
  let createWorkspace: CreateWorkspace;
  let invitations: ReturnType<typeof invitationUseCases>;
  const first = firstCredentialsFor();
  /** The instance administrator, and the administrator of another workspace. */
  let root: Operator;
  let theirs: Operator;

  beforeAll(async () => {
    postgres = await startPostgres({ migrations: { gateway: migrations } });
    pool = testPool({ connectionString: postgres.databaseUrl('gateway'), max: 8 });
    store = new PrincipalStore(pool);
    await ensureFirstWorkspace(store, first);
    directory = new PrincipalDirectory(pool, createLogger('test', 'silent'));
    await directory.start();
    const refresh = () => directory.refresh();
    principals = principalUseCases({ store, refresh });
    createWorkspace = makeCreateWorkspace({ store, refresh });
    invitations = invitationUseCases({ store, refresh, invitations: new InvitationStore(pool) });
    root = await operator(first.admin.api_key);
    theirs = await operator((await workspace('theirs', 'theirs@example.com')).adminKey);
  });
  afterAll(async () => {
    await directory.stop();
    await pool.end();
    await postgres.stop();
  });

  async function operator(key: string): Promise<Operator> {
    const found = await directory.findByHash(hashOfKey(key));
    if (found?.kind !== 'operator' || found.keyId === null) throw new Error('this is no operator’s key');
    return { ...found, keyId: found.keyId };
  }
  const asked = (by: Operator): RequestContext => ({
    orgId: by.orgId,
    memberId: by.memberId,
    instanceAdmin: by.instanceAdmin,
    originOf: (memberId) => originWith(by, memberId),
    meta: { actor: actorOf(by, 'api'), correlation_id: 'req_1', traceparent: null },
  });
  const workspace = (name: string, email: string, by = root) =>
    createWorkspace({ ...asked(by), personId: by.personId }, name, { email, name: 'Admin', password });
  const invite = (by: Operator, email: string, role: 'viewer' | 'member' | 'admin' = 'viewer') =>
    principals.createMember(asked(by), { email, name: 'As they call them', role, groups: ['sre'], password });
  const inviteeOf = ({ personId, own }: Operator) =>
    ({ personId, own, via: 'api', correlationId: 'req_2', traceparent: null }) as const;
  const page = { cursor: null, limit: 10 };
  const keyFor = async (by: Operator, memberId: string, role: 'viewer' | 'admin' = 'admin') =>
    principals.createKey(asked(by), { name: 'k', kind: 'operator', role, memberId });
  const eventsOf = async (orgId: string, streamId: string) => {
    const events = await store.events.load(orgId, streamId);
    return events.map(({ type, meta }) => [type, meta.actor?.id ?? null, meta.actor?.key_id ?? null]);
  };

  it('an invitation of the instance administrator gives no key and reveals nothing', async () => {
    const email = first.admin.email.toUpperCase();
    const member = await invite(theirs, email);
    const stranger = await invite(theirs, 'nobody@example.com');
    expect(member).toEqual({
      ...stranger,
      id: member.id,
      email,
      status: 'invited',
      created_at: member.created_at,
    });
    expect(stranger.status).toBe('active');
    expect(member.id).not.toBe(root.memberId);
    await expect(keyFor(theirs, member.id)).rejects.toMatchObject({ code: 'MEMBERSHIP_NOT_ACCEPTED' });
    await expect(keyFor(theirs, root.memberId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(invite(theirs, first.admin.email)).rejects.toMatchObject({ code: 'EMAIL_TAKEN' });
    const { rows } = await pool.query('SELECT data, meta FROM event WHERE org_id = $1', [theirs.orgId]);
    const seen = JSON.stringify([rows, await store.members(theirs.orgId, page)]);
    for (const secret of [root.memberId, root.keyId, root.orgId, 'Administrator', 'instance'])
      expect(seen).not.toContain(secret);
  });

  it('the password of an invitation is not used', async () => {
    const hash = async () =>
      (
        await pool.query<{ password_hash: string }>('SELECT password_hash FROM person WHERE email = $1', [
          first.admin.email,
        ])
      ).rows[0]?.password_hash ?? '';
    const before = await hash();
    const other = await operator((await workspace('w', 'w@example.com')).adminKey);
    await invite(other, first.admin.email);
    expect(await hash()).toBe(before);
    expect(await argon2.verify(before, first.admin.password)).toBe(true);
  });

  it('an invited person is a member only after accepting with a key of their own', async () => {
    const host = await operator((await workspace('host', 'host@example.com')).adminKey);
    const member = await invite(host, 'theirs@example.com', 'member');
    expect(await invitations.list(inviteeOf(theirs), page)).toMatchObject([
      { id: member.id, org_id: host.orgId, workspace_name: 'host', role: 'member', status: 'invited' },
    ]);
    expect(await invitations.list(inviteeOf(host), page)).toEqual([]);
    await expect(invitations.accept(inviteeOf(host), member.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });

    const { key } = await invitations.accept(inviteeOf(theirs), member.id);
    expect(await operator(key)).toMatchObject({
      orgId: host.orgId,
      memberId: member.id,
      role: 'member',
      madeBy: member.id,
    });
    expect(await store.member(host.orgId, member.id)).toMatchObject({ status: 'active' });
    expect((await keyFor(host, member.id)).made_by).toBe(host.memberId);
    expect(await invitations.list(inviteeOf(theirs), page)).toEqual([]);
    expect(await eventsOf(host.orgId, member.id)).toEqual([
      ['member.invited', host.memberId, host.keyId],
      ['member.accepted', member.id, null],
    ]);
    await expect(invitations.accept(inviteeOf(theirs), member.id)).rejects.toMatchObject({
      code: 'INVITATION_ANSWERED',
    });
  });

  it('two acceptances at once make one membership and one key', async () => {
    const host = await operator((await workspace('twice', 'twice@example.com')).adminKey);
    const member = await invite(host, 'theirs@example.com');
    const both = await Promise.allSettled([1, 2].map(() => invitations.accept(inviteeOf(theirs), member.id)));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const keys = await store.keys(host.orgId, page);
    expect(keys.filter(({ member_id }) => member_id === member.id)).toHaveLength(1);
  });

  it('a declined invitation can still be accepted', async () => {
    const host = await operator((await workspace('late', 'late@example.com')).adminKey);
    const member = await invite(host, 'theirs@example.com');
    expect(await invitations.decline(inviteeOf(theirs), member.id)).toMatchObject({ status: 'declined' });
    await expect(keyFor(host, member.id)).rejects.toMatchObject({ code: 'MEMBERSHIP_NOT_ACCEPTED' });
    expect(await invitations.list(inviteeOf(theirs), page)).toMatchObject([
      { id: member.id, status: 'declined' },
    ]);
    await invitations.accept(inviteeOf(theirs), member.id);
    expect(await store.member(host.orgId, member.id)).toMatchObject({ status: 'active' });
  });

  it('a key that another person made cannot act in another workspace', async () => {
    const another = await operator((await keyFor(theirs, theirs.memberId)).key);
    const colleague = await invite(theirs, 'colleague@example.com', 'admin');
    const given = await operator((await keyFor(theirs, colleague.id)).key);
    expect(await invitations.list(inviteeOf(another), page)).toEqual(expect.any(Array));
    for (const key of [given, await operator((await keyFor(given, colleague.id)).key)]) {
      expect(key.madeBy).toBe(theirs.memberId);
      await expect(invitations.list(inviteeOf(key), page)).rejects.toMatchObject({ code: 'OWN_KEY_NEEDED' });
      await expect(invitations.accept(inviteeOf(key), 'mbr_x')).rejects.toMatchObject({
        code: 'OWN_KEY_NEEDED',
      });
    }
    // A key that a colleague makes for the maker of the colleague's key is not that person's own either.
    const back = await operator((await keyFor(given, theirs.memberId)).key);
    expect(back).toMatchObject({ madeBy: theirs.memberId, own: false });
    await expect(invitations.list(inviteeOf(back), page)).rejects.toMatchObject({ code: 'OWN_KEY_NEEDED' });
  });

  it('an administrator of the same workspace gets no instance rights by making or rotating keys', async () => {
    const colleague = await principals.createMember(asked(root), {
      email: 'second@example.com',
      name: 'Second',
      role: 'admin',
      groups: [],
      password,
    });
    const second = await operator((await keyFor(root, colleague.id)).key);
    const made = await operator((await keyFor(second, root.memberId)).key);
    expect(made).toMatchObject({ memberId: root.memberId, role: 'admin', instanceAdmin: false });
    const viewers = await operator((await keyFor(root, root.memberId, 'viewer')).key);
    const rotated = await principals.rotateKey(asked(second), viewers.keyId, '24h');
    expect(await operator(rotated.key)).toMatchObject({ memberId: root.memberId, own: false });

    expect((await operator((await keyFor(root, root.memberId)).key)).instanceAdmin).toBe(true);
    expect((await operator((await keyFor(root, root.memberId, 'viewer')).key)).instanceAdmin).toBe(false);
  });

  it('only its person ends a key with rights over the instance; a new credentials file makes another one', async () => {
    const colleague = await principals.createMember(asked(root), {
      ...{ email: 'third@example.com', name: 'Third', role: 'admin', groups: [], password },
    });
    const third = await operator((await keyFor(root, colleague.id)).key);
    const lentKey = (await keyFor(third, root.memberId)).key;
    const lent = await operator(lentKey);
    for (const by of [third, lent]) {
      for (const ending of [
        principals.revokeKey(asked(by), root.keyId),
        principals.rotateKey(asked(by), root.keyId, '0s'),
      ])
        await expect(ending).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(await operator(first.admin.api_key)).toMatchObject({ instanceAdmin: true });
    // Any administrator ends keys that carry no such rights.
    await principals.revokeKey(asked(third), lent.keyId);
    expect(await directory.findByHash(hashOfKey(lentKey))).toBeUndefined();

    const other = await operator((await keyFor(root, root.memberId)).key);
    const replaced = await principals.rotateKey(asked(other), other.keyId, '0s');
    const last = await operator(replaced.key);
    expect(last.instanceAdmin).toBe(true);
    const mine = (await store.keys(root.orgId, { cursor: null, limit: 100 })).filter(
      ({ member_id, made_by, id }) =>
        member_id === root.memberId && made_by === root.memberId && id !== last.keyId,
    );
    for (const { id } of mine) await principals.revokeKey(asked(last), id);
    await principals.revokeKey(asked(last), last.keyId);
    expect(await directory.findByHash(hashOfKey(first.admin.api_key))).toBeUndefined();
    expect(await directory.findByHash(hashOfKey(replaced.key))).toBeUndefined();

    // The same file does not restore a revoked key; a new file, which the start writes when there is none, makes a new key.
    await ensureFirstWorkspace(store, first);
    await directory.refresh();
    expect(await directory.findByHash(hashOfKey(first.admin.api_key))).toBeUndefined();
    const fresh = firstCredentialsFor();
    const anew = {
      ...{ ...fresh, org_id: first.org_id },
      admin: { ...fresh.admin, email: first.admin.email },
      agent: { ...fresh.agent, id: first.agent.id },
    };
    await ensureFirstWorkspace(store, anew);
    await directory.refresh();
    const again = await operator(anew.admin.api_key);
    expect(again).toMatchObject({ memberId: root.memberId, own: true, instanceAdmin: true });
    root = again;
  });

  it('a workspace for oneself keeps the person and the password; for another person’s account it is refused', async () => {
    const made = await workspace('second', first.admin.email.toUpperCase());
    expect(made.passwordSet).toBe(false);
    expect(await operator(made.adminKey)).toMatchObject({
      orgId: made.orgId,
      memberId: root.memberId,
      instanceAdmin: false,
    });
    await expect(workspace('taken', 'theirs@example.com')).rejects.toMatchObject({ code: 'EMAIL_TAKEN' });
    const { rows } = await pool.query('SELECT 1 FROM workspace WHERE name = $1', ['taken']);
    expect(rows).toEqual([]);
  });

  it('a new workspace is recorded in its own log, which names no member of another workspace, and in the log of its founder', async () => {
    const { orgId } = await workspace('logged', 'logged@example.com');
    expect(await eventsOf(orgId, orgId)).toEqual([['access.workspace_created', null, null]]);
    expect(await eventsOf(root.orgId, orgId)).toEqual([
      ['access.workspace_created', root.memberId, root.keyId],
    ]);
    const { rows } = await pool.query('SELECT data, meta FROM event WHERE org_id = $1', [orgId]);
    expect(JSON.stringify(rows)).not.toContain(root.memberId);
  });
});
