import { createLogger } from '@agentlattice/observability';
import { eventually, startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import pg from 'pg';
import { actorOf, originWith } from '../domain/principal.js';
import { migrations } from '../migrations/index.js';
import { MemberStore } from '../outbound/member-store.js';
import { hashOfKey, PrincipalDirectory } from '../outbound/principal-directory.js';
import { PrincipalStore } from '../outbound/principal-store.js';
import { SessionStore } from '../outbound/session-store.js';
import { firstCredentialsFor } from '../../test/first-credentials.js';
import { type PrincipalUseCases, principalUseCases } from '../../test/principal-use-cases.js';
import { type ChangeMember, makeRemoveMember, makeUpdateMember, type RemoveMember } from './change-member.js';
import { type CreateWorkspace, makeCreateWorkspace } from './create-workspace.js';
import { ensureFirstWorkspace } from './ensure-first-workspace.js';
import type { RequestContext } from './principal-ports.js';

const logger = createLogger('test', 'silent');
const password = 'a long password';

describe('changes of members', () => {
  let postgres: TestPostgres;
  let pool: pg.Pool;
  let store: PrincipalStore;
  let here: PrincipalDirectory;
  let there: PrincipalDirectory;
  let principals: PrincipalUseCases;
  let createWorkspace: CreateWorkspace;
  let update: ChangeMember;
  let remove: RemoveMember;
  const first = firstCredentialsFor();

  beforeAll(async () => {
    postgres = await startPostgres({ migrations: { gateway: migrations } });
    pool = testPool({ connectionString: postgres.databaseUrl('gateway'), max: 12 });
    store = new PrincipalStore(pool);
    await ensureFirstWorkspace(store, first);
    [here, there] = [new PrincipalDirectory(pool, logger), new PrincipalDirectory(pool, logger)];
    await Promise.all([here.start(), there.start()]);
    const ports = { store, refresh: () => here.refresh() };
    principals = principalUseCases(ports);
    createWorkspace = makeCreateWorkspace(ports);
    const memberPorts = { ...ports, members: new MemberStore(pool), sessions: new SessionStore(pool) };
    update = makeUpdateMember(memberPorts);
    remove = makeRemoveMember(memberPorts);
  });
  afterAll(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await pool.end();
    await postgres.stop();
  });

  async function contextOf(key: string): Promise<RequestContext> {
    const by = await here.findByHash(hashOfKey(key));
    if (by?.kind !== 'operator') throw new Error('this is no operator’s key');
    return {
      orgId: by.orgId,
      memberId: by.memberId,
      instanceAdmin: by.instanceAdmin,
      originOf: (memberId) => originWith(by, memberId),
      meta: { actor: actorOf(by, 'api'), correlation_id: 'req_1', traceparent: null },
    };
  }
  const add = (by: RequestContext, name: string, role: 'viewer' | 'member' | 'admin' = 'member') =>
    principals.createMember(by, { email: `${name}@example.com`, name, role, groups: ['sre'], password });
  const eventsOf = async (orgId: string, streamId: string) =>
    (await store.events.load(orgId, streamId)).map(({ type, data }) => [type, data]);
  /** A workspace of its own, with another founder. */
  async function workspace(name: string): Promise<RequestContext> {
    const { orgId, meta } = await contextOf(first.admin.api_key);
    const root = await here.findByHash(hashOfKey(first.admin.api_key));
    const personId = root?.kind === 'operator' ? root.personId : '';
    const admin = { email: `${name}@example.com`, name, password };
    return contextOf((await createWorkspace({ orgId, personId, meta }, name, admin)).adminKey);
  }

  it('reach every gateway within a second, and are in the log without the name', async () => {
    const admin = await contextOf(first.admin.api_key);
    const member = await add(admin, 'changed');
    const { key } = await principals.createKey(admin, { name: 'k', kind: 'operator', memberId: member.id });
    expect(await there.findByHash(hashOfKey(key))).toMatchObject({ role: 'member' });
    const changed = await update(admin, member.id, { role: 'viewer', name: 'New name' });
    expect(changed).toMatchObject({ role: 'viewer', name: 'New name', groups: ['sre'] });
    expect(await here.findByHash(hashOfKey(key))).toMatchObject({ role: 'viewer' });
    await eventually(async () => {
      const found = await there.findByHash(hashOfKey(key));
      return found?.kind === 'operator' && found.role === 'viewer';
    });
    await update(admin, member.id, { role: 'viewer', groups: ['sre'] });
    const events = await eventsOf(admin.orgId, member.id);
    expect(events.slice(1)).toEqual([
      [
        'member.updated',
        { member_id: member.id, role: 'viewer', groups: ['sre'], changed: ['name', 'role'] },
      ],
    ]);
  });

  it('a removed member has no key any more, and comes back under another id', async () => {
    const admin = await contextOf(first.admin.api_key);
    const member = await add(admin, 'removed', 'admin');
    const own = await principals.createKey(admin, { name: 'k', kind: 'operator', memberId: member.id });
    const byMember = await contextOf(own.key);
    const { key: bot } = await principals.registerAgent(byMember, { name: 'theirs', description: null });
    const { held_keys } = await remove(admin, member.id);
    expect(held_keys).toMatchObject([{ name: 'theirs', kind: 'agent' }]);
    expect(await here.findByHash(hashOfKey(own.key))).toBeUndefined();
    await eventually(async () => (await there.findByHash(hashOfKey(own.key))) === undefined);
    expect(await here.findByHash(hashOfKey(bot))).toBeDefined();
    expect(await store.member(admin.orgId, member.id)).toBeUndefined();
    await expect(remove(admin, member.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(update(admin, member.id, { role: 'viewer' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await eventsOf(admin.orgId, member.id)).at(-1)).toEqual([
      'member.removed',
      { member_id: member.id },
    ]);
    expect((await eventsOf(admin.orgId, own.id)).at(-1)).toEqual(['key.revoked', { key_id: own.id }]);
    const again = await add(admin, 'removed');
    expect(again).toMatchObject({ status: 'invited' });
    expect(again.id).not.toBe(member.id);
  });

  it('of another workspace do not exist', async () => {
    const elsewhere = await workspace('elsewhere');
    const member = await add(await contextOf(first.admin.api_key), 'ours');
    await expect(update(elsewhere, member.id, { role: 'viewer' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(remove(elsewhere, member.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('leave one administrator, however many leave at once', async () => {
    const founder = await workspace('crowded');
    const others: string[] = [];
    for (let i = 0; i < 19; i++) others.push((await add(founder, `admin${String(i)}`, 'admin')).id);
    const all = [founder.memberId ?? '', ...others];
    const results = await Promise.allSettled(
      all.map((id, i) => (i % 2 === 0 ? update(founder, id, { role: 'member' }) : remove(founder, id))),
    );
    const refused = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    expect(refused).toMatchObject([{ code: 'LAST_ADMIN' }]);
    const left = await store.members(founder.orgId, { cursor: null, limit: 50 });
    expect(left.filter(({ role }) => role === 'admin')).toHaveLength(1);
  }, 60_000);

  it('another administrator does not lower or remove the instance administrator', async () => {
    const root = await contextOf(first.admin.api_key);
    const member = await add(root, 'climber', 'admin');
    const { key } = await principals.createKey(root, { name: 'k', kind: 'operator', memberId: member.id });
    const climber = await contextOf(key);
    const id = root.memberId ?? '';
    await expect(update(climber, id, { role: 'member' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(remove(climber, id)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await update(climber, id, { name: 'Root' })).toMatchObject({ name: 'Root', role: 'admin' });
  });
});
