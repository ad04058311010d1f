import { eventually, testPool } from '@agentlattice/testkit';
import type pg from 'pg';
import {
  delegate,
  type DelegationSystem,
  requested,
  revoke,
  startDelegationSystem,
  statusOf,
} from './kit/delegations.js';
import { EventSourceClient } from './kit/event-source.js';
import { readLog } from './kit/log.js';
import type { Person } from './kit/people.js';

const text = expect.any(String) as string;

let system: DelegationSystem;
/** As the administrator of the database. */
let database: pg.Pool;
beforeAll(async () => {
  system = await startDelegationSystem();
  database = testPool({ connectionString: system.stack.adminUrl });
});
afterAll(async () => {
  await database.end();
  await system.stop();
});

describe('what an agent sees', () => {
  it('is its own and that of the agents that act for it', async () => {
    const [parent, stranger] = [await system.newParent(), await system.newParent()];
    const child = await delegate(parent, ['mail.*', 'db.*']);
    const grandchild = await delegate(child, ['mail.*']);
    const [mine, theirs] = [await requested(parent), await requested(grandchild)];
    const listed = async ({ api }: Person) =>
      ((await api.get('/api/v1/approvals')).body['approvals'] as { id: string }[]).map(({ id }) => id);
    expect((await listed(parent)).sort()).toEqual([mine, theirs].sort());
    expect(await listed(child)).toEqual([theirs]);
    expect(await listed(grandchild)).toEqual([theirs]);
    expect(await listed(stranger)).toEqual([]);
    expect(await statusOf(parent, theirs)).toMatchObject({ status: 200, body: { status: 'pending' } });
    expect(await statusOf(grandchild, mine)).toMatchObject({ status: 404 });
    expect(await statusOf(stranger, theirs)).toMatchObject({ status: 404 });
    await system.approve(theirs);
    // The grant is for the agent that asked.
    expect((await statusOf(parent, theirs)).body).toMatchObject({ status: 'approved', grant: null });
    expect((await statusOf(grandchild, theirs)).body).toMatchObject({ grant: text });

    const entriesOf = async ({ api }: Person) =>
      (
        (await api.get('/api/v1/audit?limit=200')).body['events'] as { agent_id: string; type: string }[]
      ).filter(({ type }) => type === 'action.requested');
    await eventually(async () => (await entriesOf(parent)).length === 2);
    expect((await entriesOf(grandchild)).map(({ agent_id }) => agent_id)).toEqual([grandchild.id]);
    expect(await entriesOf(stranger)).toEqual([]);
  });

  it('includes live events of both, and the ends of delegations', async () => {
    const [parent, stranger] = [await system.newParent(), await system.newParent()];
    const earlier = await delegate(parent, ['mail.*']);
    const listen = ({ api }: Pick<Person, 'api'>) =>
      EventSourceClient.open(system.stack.baseUrl, api.key ?? '');
    const [ofParent, ofEarlier, ofStranger, ofAdmin] = await Promise.all(
      [parent, earlier, stranger, { api: system.admin }].map(listen),
    );
    try {
      const child = await delegate(parent, ['mail.*']);
      await requested(child);
      await revoke(parent.api, child);
      const heardBy = (client: EventSourceClient | undefined) =>
        (client?.heard ?? []).filter(({ data }) => data['agent_id'] === child.id).map(({ type }) => type);
      const all = ['agent.registered', 'approval.requested', 'delegation.created', 'delegation.revoked'];
      for (const client of [ofParent, ofAdmin])
        await eventually(() => expect(heardBy(client).sort()).toEqual(all) === undefined);
      const ofChild = (ofParent?.heard ?? []).filter(({ data }) => data['agent_id'] === child.id);
      for (const { data } of ofChild) expect(data).toMatchObject({ acting_for: [parent.id] });
      await revoke(system.admin, earlier);
      await eventually(() => ofEarlier?.heard.some(({ type }) => type === 'delegation.revoked'));
      expect(new Set(ofEarlier?.heard.map(({ data }) => data['agent_id']))).toEqual(new Set([earlier.id]));
      // Its own registration may come late.
      expect(ofStranger?.heard.filter(({ data }) => data['agent_id'] !== stranger.id)).toEqual([]);
    } finally {
      for (const client of [ofParent, ofEarlier, ofStranger, ofAdmin]) client?.close();
    }
  });

  it('includes its delegations, by their part in them', async () => {
    const parent = await system.newParent();
    const child = await delegate(parent, ['db.*'], { name: 'reader' });
    const grandchild = await delegate(child, ['db.read']);
    const ended = await delegate(parent, ['db.*']);
    await revoke(parent.api, ended);
    const shown = {
      id: child.delegationId,
      scope: { capabilities: ['db.*'] },
      expires_at: child.expiresAt,
      active: true,
      parent_config_id: parent.id,
      child_config_id: child.id,
      child_name: child.name,
      parent_delegation_id: null,
    };
    const list = async ({ api }: Pick<Person, 'api'>, query = '') =>
      (await api.get(`/api/v1/delegations${query}`)).body['delegations'] as { id: string; active: boolean }[];
    expect(await list(parent, '?role=parent&active_only=true')).toMatchObject([shown]);
    expect((await list(parent)).map(({ id, active }) => [id, active])).toEqual([
      [ended.delegationId, false],
      [child.delegationId, true],
    ]);
    expect(await list(parent, '?role=child')).toEqual([]);
    expect(await list(child, '?role=child')).toMatchObject([shown]);
    expect((await list(child)).map(({ id }) => id)).toEqual([grandchild.delegationId, child.delegationId]);
    const all = (await list({ api: system.admin }, '?limit=200')).map(({ id }) => id);
    expect(all).toEqual(
      expect.arrayContaining([child.delegationId, grandchild.delegationId, ended.delegationId]),
    );
    const who = async ({ api }: Person) => (await api.get('/api/v1/whoami')).body['delegations'];
    expect(await who(parent)).toMatchObject({ as_parent: [shown], as_child: [] });
    expect(await who(child)).toMatchObject({
      as_parent: [{ id: grandchild.delegationId, parent_delegation_id: child.delegationId }],
      as_child: [shown],
    });
  });
});

it('channels get the ends of delegations', async () => {
  const channel = await system.admin.post('/api/v1/channels', {
    ...{ name: 'ends', type: 'email', to: ['somebody@example.com'] },
    events: ['delegation.revoked', 'delegation.expired'],
  });
  expect(channel.status).toBe(201);
  const parent = await system.newParent();
  await delegate(parent, ['db.*'], { ttl: 1 });
  await revoke(parent.api, await delegate(parent, ['db.*']));
  const types = async () => {
    const { body } = await system.admin.get('/api/v1/deliveries?limit=200');
    const deliveries = body['deliveries'] as { channel_id: string; event_type: string }[];
    return deliveries
      .filter(({ channel_id }) => channel_id === channel.body['id'])
      .map(({ event_type }) => event_type);
  };
  await eventually(
    async () =>
      expect(new Set(await types())).toEqual(new Set(['delegation.revoked', 'delegation.expired'])) ===
      undefined,
    { within: 30_000 },
  );
});

describe('when a part of the system dies', () => {
  it('nothing acts while the policy-engine is away, and answers that let nobody act are given all the same', async () => {
    const child = await delegate(await system.newParent(), ['db.*', 'mail.*']);
    const [approved, pending] = [await requested(child), await requested(child)];
    await system.approve(approved);
    await system.stack.halt('policy-engine');
    try {
      expect(await child.api.submit('db.read')).toMatchObject({ status: 503 });
      expect(await statusOf(child, approved)).toMatchObject({ status: 503 });
      expect(await child.api.get('/api/v1/approvals')).toMatchObject({ status: 503 });
      expect(await statusOf(child, pending)).toMatchObject({ status: 200, body: { status: 'pending' } });
      expect(
        await child.api.post('/api/v1/delegate', { name: 'x', capabilities: ['db.read'], ttl_seconds: 9 }),
      ).toMatchObject({ status: 503 });
    } finally {
      await system.stack.resume('policy-engine');
    }
    await eventually(async () => (await child.api.submit('db.read')).body['status'] === 'executed', {
      within: 20_000,
    });
  });

  it('a grant cannot be used while it cannot be judged, and can be used afterwards', async () => {
    const agent = await system.newParent();
    const id = await requested(agent);
    await system.approve(id);
    const { grant } = (await statusOf(agent, id)).body;
    const { action_digest } = (await agent.api.get(`/api/v1/approvals/${id}`)).body;
    const consume = () => agent.api.post('/api/v1/grants/consume', { grant, action_digest });
    await system.stack.halt('policy-engine');
    try {
      expect(await consume()).toMatchObject({ status: 503, body: { error: 'UNAVAILABLE' } });
    } finally {
      await system.stack.resume('policy-engine');
    }
    await eventually(async () => (await consume()).status === 200);
    expect(await consume()).toMatchObject({ status: 409, body: { error: 'GRANT_CONSUMED' } });
  });

  it('a gateway that is killed between the two writes leaves a delegation that nobody can use', async () => {
    const parent = await system.newParent();
    const lock = await database.connect();
    try {
      await lock.query('BEGIN');
      // The agent cannot be written; the delegation can.
      await lock.query('LOCK TABLE gateway.agent_name IN EXCLUSIVE MODE');
      const lost = parent.api
        .post('/api/v1/delegate', { name: 'lost', capabilities: ['db.*'], ttl_seconds: 8 })
        .then(
          ({ status }) => status,
          () => 'broken off' as const,
        );
      const left = await eventually(async () => {
        const { rows } = await database.query<{ delegation_id: string; agent_id: string }>(
          'SELECT delegation_id, agent_id FROM policy_engine.delegation WHERE parent_agent_id = $1',
          [parent.id],
        );
        return rows[0];
      });
      system.stack.kill('gateway');
      expect(await lost).toBe('broken off');
      await lock.query('ROLLBACK');
      await system.stack.ready('gateway');
      const { rows } = await database.query('SELECT 1 FROM gateway.agent WHERE id = $1', [left.agent_id]);
      expect(rows).toEqual([]);
      const state = async () => {
        const { body } = await parent.api.get('/api/v1/delegations');
        return (body['delegations'] as { id: string; active: boolean }[]).find(
          ({ id }) => id === left.delegation_id,
        );
      };
      await eventually(async () => (await state())?.active === false, { within: 30_000 });
      await eventually(
        async () =>
          (await readLog(system.admin)).some(
            ({ type, delegation }) => type === 'delegation.expired' && delegation?.id === left.delegation_id,
          ),
        { within: 30_000 },
      );
      const again = await delegate(parent, ['db.*']);
      expect((await again.api.submit('db.read')).body).toMatchObject({ status: 'executed' });
    } finally {
      lock.release(true);
    }
  });
});
