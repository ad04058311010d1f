import { createLogger } from '@agentlattice/observability';
import { eventually, startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import pg from 'pg';
import { typeid } from 'typeid-js';
import { migrations } from '../migrations/index.js';
import { hashOfKey, PrincipalDirectory } from '../outbound/principal-directory.js';
import { PrincipalStore } from '../outbound/principal-store.js';
import { firstCredentialsFor } from '../../test/first-credentials.js';
import { type PrincipalUseCases, principalUseCases } from '../../test/principal-use-cases.js';
import { makeChangeAgent } from './change-agent.js';
import { ensureFirstWorkspace } from './ensure-first-workspace.js';
import type { RequestContext } from './principal-ports.js';

const logger = createLogger('test', 'silent');

describe('principals', () => {
  let postgres: TestPostgres;
  let pool: pg.Pool;
  let store: PrincipalStore;
  let principals: PrincipalUseCases;
  /** Two gateways: a change made at one must reach the other. */
  let here: PrincipalDirectory;
  let there: PrincipalDirectory;
  const first = firstCredentialsFor();
  let asked: RequestContext;

  beforeAll(async () => {
    postgres = await startPostgres({ migrations: { gateway: migrations } });
    pool = testPool({ connectionString: postgres.databaseUrl('gateway'), max: 8 });
    store = new PrincipalStore(pool);
    await ensureFirstWorkspace(store, first);
    [here, there] = [new PrincipalDirectory(pool, logger), new PrincipalDirectory(pool, logger)];
    await here.start();
    await there.start();
    principals = principalUseCases({ store, refresh: () => here.refresh() });
    const admin = await here.findByHash(hashOfKey(first.admin.api_key));
    if (admin?.kind !== 'operator') throw new Error('the administrator is missing');
    asked = {
      orgId: first.org_id,
      memberId: admin.memberId,
      instanceAdmin: admin.instanceAdmin,
      originOf: () => ({ madeBy: admin.memberId, own: false, shownTo: [admin.memberId] }),
      meta: {
        actor: { kind: 'operator', id: admin.memberId, key_id: admin.keyId, via: 'api' },
        correlation_id: 'req_1',
        traceparent: null,
      },
    };
  });
  afterAll(async () => {
    await here.stop();
    await there.stop();
    await pool.end();
    await postgres.stop();
  });

  const eventsOf = async (streamId: string) =>
    (await store.events.load(first.org_id, streamId)).map(({ type }) => type);

  it('of the first start are made once, however often the start runs', async () => {
    await ensureFirstWorkspace(store, first);
    await Promise.all([ensureFirstWorkspace(store, first), ensureFirstWorkspace(store, first)]);
    expect(await store.keys(first.org_id, { cursor: null, limit: 10 })).toHaveLength(3);
    expect(await eventsOf(first.agent.id)).toEqual(['agent.registered']);
    expect(await here.findByHash(hashOfKey(first.admin.api_key))).toMatchObject({
      role: 'admin',
      instanceAdmin: true,
    });
  });

  it('keys are kept as hashes only', async () => {
    const { rows } = await pool.query('SELECT to_jsonb(k) AS row FROM api_key k');
    const { rows: events } = await pool.query('SELECT data FROM event');
    expect(JSON.stringify([rows, events])).not.toContain(first.admin.api_key.slice(12));
  });

  it('an agent is registered with its key and its owner', async () => {
    const { agent, key } = await principals.registerAgent(asked, { name: 'bot', description: null });
    expect(agent.owner_member_id).toBe(asked.memberId);
    expect(await there.findByHash(hashOfKey(key))).toMatchObject({
      kind: 'agent',
      agent: { id: agent.id, suspended: false },
    });
    expect(await eventsOf(agent.id)).toEqual(['agent.registered']);
  });

  it('a name belongs to one agent of a workspace, also when two are registered at once; another workspace may use it', async () => {
    const draft = { name: 'only one', description: null };
    const both = await Promise.allSettled([1, 2].map(() => principals.registerAgent(asked, draft)));
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'NAME_TAKEN' },
    });
    await expect(principals.registerAgent(asked, { ...draft, name: first.agent.name })).rejects.toMatchObject(
      {
        code: 'NAME_TAKEN',
        errors: [{ pointer: '/name' }],
      },
    );
    const agents = await store.agents(first.org_id, { cursor: null, limit: 200 });
    expect(agents.filter(({ name }) => name === draft.name)).toHaveLength(1);
    for (const name of ['Only One', 'only\u00a0one', 'ｏｎｌｙ one', 'only\u200b one'])
      await expect(principals.registerAgent(asked, { ...draft, name })).rejects.toMatchObject({
        code: 'NAME_TAKEN',
      });
    await principals.registerAgent(asked, { ...draft, name: 'only two' });
    const orgId = typeid('org').toString();
    await store.inTransaction((tx) => store.insertWorkspace(tx, orgId, 'another'));
    await principals.registerAgent({ ...asked, orgId }, draft);
  });

  it('a suspension reaches every gateway within a second', async () => {
    const { agent, key } = await principals.registerAgent(asked, { name: 'loud', description: null });
    await there.findByHash(hashOfKey(key));
    await principals.changeAgent(asked, agent.id, { type: 'SuspendAgent', pending: 'keep' });
    await eventually(async () => {
      const found = await there.findByHash(hashOfKey(key));
      return found?.kind === 'agent' && found.agent.suspended;
    });
    await expect(
      principals.changeAgent(asked, agent.id, { type: 'SuspendAgent', pending: 'keep' }),
    ).rejects.toMatchObject({ code: 'ALREADY_SUSPENDED' });
  });

  it('a suspension is in force here when it is answered, also while a reading from before it is under way', async () => {
    const { agent, key } = await principals.registerAgent(asked, { name: 'quick', description: null });
    const gate = { held: Promise.resolve() };
    const slow = new PrincipalDirectory(
      {
        connect: () => pool.connect(),
        // The answer of a reading arrives only when the gate opens.
        query: async (...given: Parameters<typeof pool.query>) => {
          const answer: unknown = await pool.query(...given);
          if (typeof given[0] === 'object') await gate.held;
          return answer;
        },
      } as unknown as pg.Pool,
      logger,
    );
    await slow.start();
    try {
      expect(await slow.findByHash(hashOfKey(key))).toMatchObject({ agent: { suspended: false } });
      let open: () => void = () => {};
      gate.held = new Promise((resolve) => (open = resolve));
      const look = slow.refresh();
      await slow.findByHash(hashOfKey(key));
      const suspending = makeChangeAgent({ store, refresh: () => slow.refresh() })(asked, agent.id, {
        type: 'SuspendAgent',
        pending: 'keep',
      });
      await eventually(async () => (await store.standing(first.org_id, agent.id))?.suspended === true);
      gate.held = Promise.resolve();
      open();
      await Promise.all([look, suspending]);
      expect(await slow.findByHash(hashOfKey(key))).toMatchObject({ agent: { suspended: true } });
    } finally {
      await slow.stop();
    }
  });

  it('an agent shows the reason and the time of its suspension; the reason is stored outside the event', async () => {
    const { agent, key } = await principals.registerAgent(asked, { name: 'why', description: null });
    const reason = 'it deleted a table\0\ud800';
    const shown = await principals.changeAgent(
      asked,
      agent.id,
      { type: 'SuspendAgent', pending: 'cancel' },
      reason,
    );
    expect(shown).toMatchObject({ suspended: true, suspended_reason: 'it deleted a table\ufffd\ufffd' });
    expect(Date.parse(shown.suspended_at ?? '')).toBeGreaterThan(0);
    const [, event] = await store.events.load(first.org_id, agent.id);
    expect(event?.data).toEqual({ agent: { id: agent.id, name: 'why' }, pending: 'cancel' });
    expect(await store.standing(first.org_id, agent.id)).toEqual({
      suspended: true,
      resumedAt: null,
      suspendedBy: event?.event_id,
      delegationId: null,
    });
    expect(await principals.changeAgent(asked, agent.id, { type: 'ResumeAgent' })).toMatchObject({
      suspended: false,
      suspended_at: null,
      suspended_reason: null,
    });
    const found = await here.findByHash(hashOfKey(key));
    expect(found?.kind === 'agent' && found.resumedAt).toBe(
      (await store.events.load(first.org_id, agent.id)).at(-1)?.occurred_at.getTime(),
    );
    expect(await store.standing('org_other', agent.id)).toBeNull();
  });

  it('a revoked key is refused by every gateway', async () => {
    const { id, key } = await principals.createKey(asked, {
      name: 'ci',
      kind: 'service',
      scopes: ['policies:read'],
    });
    expect(await there.findByHash(hashOfKey(key))).toMatchObject({
      kind: 'service',
      scopes: ['policies:read'],
    });
    await principals.revokeKey(asked, id);
    await eventually(async () => (await there.findByHash(hashOfKey(key))) === undefined);
    expect(await here.findByHash(hashOfKey(key))).toBeUndefined();
    expect(await eventsOf(id)).toEqual(['key.created', 'key.revoked']);
  });

  it('a rotated key works until the overlap ends', async () => {
    const terms = { name: 'ci', kind: 'service', scopes: ['policies:read'] } as const;
    const kept = await principals.createKey(asked, terms);
    const successor = await principals.rotateKey(asked, kept.id, '1h');
    expect(await there.findByHash(hashOfKey(kept.key))).toBeDefined();
    expect(await there.findByHash(hashOfKey(successor.key))).toMatchObject({ scopes: ['policies:read'] });
    await expect(principals.rotateKey(asked, kept.id, '1h')).rejects.toMatchObject({ code: 'KEY_REVOKED' });
    await principals.rotateKey(asked, successor.id, '0s');
    await eventually(async () => (await there.findByHash(hashOfKey(successor.key))) === undefined);
  });

  it('an expired key is refused', async () => {
    const expiresAt = new Date(here.now() - 1).toISOString();
    const { key } = await principals.createKey(asked, {
      name: 'old',
      kind: 'service',
      scopes: ['policies:read'],
      expiresAt,
    });
    expect(await here.findByHash(hashOfKey(key))).toBeUndefined();
  });

  it('an operator’s key is at most the member’s role', async () => {
    const member = await principals.createMember(asked, {
      email: 'viewer@example.com',
      name: 'V',
      role: 'viewer',
      groups: ['sre'],
      password: 'a long password',
    });
    const key = await principals.createKey(asked, {
      name: 'k',
      kind: 'operator',
      role: 'admin',
      memberId: member.id,
    });
    expect(key.role).toBe('viewer');
    expect(await here.findByHash(hashOfKey(key.key))).toMatchObject({
      role: 'viewer',
      memberId: member.id,
      instanceAdmin: false,
    });
  });

  it('nothing of one workspace is found in another', async () => {
    const orgId = typeid('org').toString();
    await store.inTransaction((tx) => store.insertWorkspace(tx, orgId, 'third'));
    const foreign = { ...asked, orgId };
    const { keys } = { keys: await store.keys(first.org_id, { cursor: null, limit: 1 }) };
    await expect(principals.revokeKey(foreign, keys[0]?.id ?? '')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(
      principals.changeAgent(foreign, first.agent.id, { type: 'ResumeAgent' }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(
      principals.createKey(foreign, { name: 'x', kind: 'agent', agentId: first.agent.id }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('the same member is not added twice, also not by two requests at once', async () => {
    const draft = {
      email: 'twice@example.com',
      name: 'T',
      role: 'member',
      groups: [],
      password: 'a long password',
    } as const;
    const results = await Promise.allSettled([
      principals.createMember(asked, draft),
      principals.createMember(asked, draft),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'EMAIL_TAKEN' },
    });
  });

  it('no key is accepted while the database is away, and all are accepted when it is back', async () => {
    await here.findByHash(hashOfKey(first.admin.api_key));
    const admin = new pg.Client({ connectionString: postgres.adminUrl });
    await admin.connect();
    const { username } = new URL(postgres.databaseUrl('gateway'));
    await admin.query(`ALTER ROLE ${username} NOLOGIN`);
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [
      username,
    ]);
    try {
      await eventually(async () => {
        try {
          await here.findByHash(hashOfKey(first.admin.api_key));
          return false;
        } catch (error) {
          return (error as { code?: string }).code === 'STALE';
        }
      });
    } finally {
      await admin.query(`ALTER ROLE ${username} LOGIN`);
      await admin.end();
    }
    await eventually(async () => (await here.findByHash(hashOfKey(first.admin.api_key))) !== undefined, {
      within: 30_000,
    });
  });
});
