import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, type Stack, startStack, testPool } from '@agentlattice/testkit';
import type pg from 'pg';
import { adminOf, type Answer, type Api } from './kit/api.js';
import { type Child, delegate, revoke } from './kit/delegations.js';
import { EventSourceClient } from './kit/event-source.js';
import { readLog } from './kit/log.js';
import { addAgent, addPerson, type Person } from './kit/people.js';
import { startSecondGateway } from './kit/second-gateway.js';

const run = promisify(execFile);
/** Whether an answer lets its reader act. */
const isGo = ({ text }: Answer) => /"(executed|approved|consumed)"|"grant":"/.test(text);
const outOfScope = { status: 'denied', denial_reason: 'DELEGATION_SCOPE' };
const text = expect.any(String) as string;

let stack: Stack;
let admin: Api;
/** As the administrator of the database. */
let database: pg.Pool;
let second: Awaited<ReturnType<typeof startSecondGateway>>;
let names = 0;

beforeAll(async () => {
  stack = await startStack({ samplePolicy: false });
  await stack.startServices();
  admin = adminOf(stack);
  database = testPool({ connectionString: stack.adminUrl });
  await admin.policy({ name: 'reads', action_type: 'db.*', effect: 'allow' });
  await admin.policy({ name: 'asks', action_type: 'mail.*', effect: 'require_approval' });
  second = await startSecondGateway(stack);
  const { api } = await newParent();
  await eventually(async () => (await api.submit('db.read')).body['status'] === 'executed');
});
afterAll(async () => {
  await second.stop();
  await database.end();
  await stack.stop();
});

const newParent = () => addAgent(admin, `parent-${String(++names)}`);
const statusOf = ({ api }: Pick<Person, 'api'>, id: string, waitSeconds = 0) =>
  api.call('GET', `/api/v1/approvals/${id}/status`, {
    headers: waitSeconds === 0 ? {} : { prefer: `wait=${String(waitSeconds)}` },
  });
async function requested({ api }: Pick<Person, 'api'>): Promise<string> {
  const { status, body, text: said } = await api.submit('mail.send');
  if (status !== 202) throw new Error(said);
  return String(body['approval_id']);
}
const approve = async (id: string) =>
  expect(await admin.post(`/api/v1/approvals/${id}/approve`, {})).toMatchObject({ status: 200 });
const suspend = async ({ id }: Person) =>
  expect(await admin.post(`/api/v1/agents/${id}/suspend`, {})).toMatchObject({ status: 200 });
const resume = async ({ id }: Person) =>
  expect(await admin.post(`/api/v1/agents/${id}/resume`, {})).toMatchObject({ status: 200 });
/** The same key at the other gateway. */
const elsewhere = ({ api }: Person): Api => second.api.as(keyOf(api));
const keyOf = (api: Api) => (api as unknown as { key: string }).key;
const digestIn = (grant: string) =>
  (JSON.parse(Buffer.from(grant.split('.')[1] ?? '', 'base64url').toString()) as { action_digest: string })
    .action_digest;

describe('a chain of agents', () => {
  it('narrows with every child, and the entry of a verdict names who acts for whom', async () => {
    const parent = await newParent();
    const child = await delegate(parent, ['db.*'], { name: 'reader' });
    const grandchild = await delegate(child, ['db.read'], { name: 'reader' });
    expect(child.name).toMatch(/^reader \([0-9a-z]{10}\)$/);
    expect(grandchild.name).not.toBe(child.name);

    expect((await child.api.submit('db.write')).body).toMatchObject({ status: 'executed' });
    expect((await grandchild.api.submit('db.read')).body).toMatchObject({ status: 'executed' });
    for (const [{ api }, action] of [
      [child, 'mail.send'],
      [grandchild, 'db.write'],
      [grandchild, 'db'],
    ] as const)
      expect(await api.submit(action)).toMatchObject({ status: 200, body: outOfScope });
    const dry = await grandchild.api.get('/api/v1/policies/check?action_type=db.write');
    expect(dry.body).toMatchObject({ allowed: false, needs_approval: false });

    for (const wider of [['db.write'], ['db.read', '*'], ['mail.send']])
      expect(
        await grandchild.api.post('/api/v1/delegate', { name: 'x', capabilities: wider, ttl_seconds: 9 }),
      ).toMatchObject({ status: 403, body: { error: 'DELEGATION_SCOPE', errors: [{ detail: text }] } });
    expect(
      await grandchild.api.post('/api/v1/delegate', {
        name: 'x',
        capabilities: ['db.read'],
        ttl_seconds: 86_401,
      }),
    ).toMatchObject({ status: 400, body: { error: 'VALIDATION_FAILED' } });

    const chain = [
      { id: parent.id, name: text },
      { id: child.id, name: child.name },
      { id: grandchild.id, name: grandchild.name },
    ];
    const log = await eventually(async () => {
      const entries = await readLog(admin);
      return entries.some(({ type, agent }) => type === 'delegation.created' && agent?.id === grandchild.id)
        ? entries
        : undefined;
    });
    const of = (id: string) =>
      log.filter(({ agent, type }) => agent?.id === id && /^(action|delegation)/.test(type));
    for (const entry of of(grandchild.id))
      expect(entry).toMatchObject({ v: 2, delegation: { id: grandchild.delegationId, chain } });
    expect(of(grandchild.id).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['action.executed', 'action.denied', 'delegation.created']),
    );
    for (const entry of of(parent.id)) expect(entry).toMatchObject({ v: 1 });
    expect((await admin.get('/api/v1/audit/verify?wait=true')).body).toMatchObject({ chain_valid: true });
  });

  it('is in a log that a verifier without our code finds sound', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'al-delegation-'));
    try {
      const note = await admin.get('/api/v1/audit/checkpoint');
      const entries = await readLog(admin);
      expect(entries.some(({ v }) => v === 2)).toBe(true);
      const [log, checkpoint] = [join(folder, 'log.ndjson'), join(folder, 'checkpoint.txt')];
      await writeFile(log, (await admin.get('/api/v1/audit/entries?from=0&limit=1000')).text);
      await writeFile(checkpoint, note.text);
      const verifier = fileURLToPath(
        new URL('../libs/ledger/verifiers/python/verify_log.py', import.meta.url),
      );
      expect((await run('python3', [verifier, log, checkpoint])).stdout).toMatch(/^sound: \d+ entries/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('lives no longer than the delegation of the parent', async () => {
    const child = await delegate(await newParent(), ['db.*'], { ttl: 100 });
    const grandchild = await delegate(child, ['db.read'], { ttl: 86_400 });
    expect(grandchild.expiresAt).toBe(child.expiresAt);
  });

  it('is judged by policies for every agent of it, and the strictest verdict counts', async () => {
    const parent = await newParent();
    await admin.policy({
      name: `names-${parent.id}`,
      action_type: 'names.list',
      effect: 'conditional',
      conditions: [{ field: 'agent.id', operator: 'neq', value: parent.id }],
      on_fail: 'deny',
    });
    const child = await delegate(parent, ['*']);
    await eventually(
      async () => (await (await newParent()).api.submit('names.list')).body['status'] === 'executed',
    );
    for (const { api } of [parent, child])
      expect((await api.submit('names.list')).body).toMatchObject({
        status: 'denied',
        denial_reason: 'CONDITIONS_DENIED',
      });
  });

  it('refuses a header that names another delegation', async () => {
    const parent = await newParent();
    const [one, other] = [await delegate(parent, ['db.*']), await delegate(parent, ['db.*'])];
    const submit = ({ api }: Person, named: string) =>
      api.post('/api/v1/actions', { action_type: 'db.read' }, { 'x-al-delegation-id': named });
    expect((await submit(one, one.delegationId)).body).toMatchObject({ status: 'executed' });
    for (const answer of [
      await submit(one, other.delegationId),
      await submit(parent, one.delegationId),
      await submit(one, 'x'),
    ])
      expect(answer).toMatchObject({ status: 200, body: outOfScope });
  });
});

describe('a delegation that is revoked', () => {
  it('stops the child and all below it at every gateway, at once', async () => {
    const parent = await newParent();
    const child = await delegate(parent, ['db.*', 'mail.*']);
    const grandchild = await delegate(child, ['db.*', 'mail.send']);
    const allowed = await grandchild.api.submit('db.read', {}, 'once');
    expect(allowed.body).toMatchObject({ status: 'executed' });
    const approved = await requested(grandchild);
    await approve(approved);
    const cleared = await statusOf(grandchild, approved);
    const grant = String(cleared.body['grant']);
    const pending = await requested(grandchild);
    const held = statusOf(grandchild, pending, 60);
    expect((await elsewhere(grandchild).submit('db.read')).body).toMatchObject({ status: 'executed' });

    expect(await revoke(parent.api, child)).toMatchObject({
      status: 200,
      body: { revoked: true, delegation_id: child.delegationId },
    });
    await approve(pending);
    for (const api of [child.api, grandchild.api, elsewhere(child), elsewhere(grandchild)])
      expect(await api.submit('db.read')).toMatchObject({ status: 200, body: outOfScope });
    for (const api of [grandchild.api, elsewhere(grandchild)]) {
      const answers = [
        await api.submit('db.read', {}, 'once'),
        await statusOf({ api }, approved),
        await api.get(`/api/approvals/${approved}/status`),
        await api.get(`/api/v1/approvals/${approved}`),
        await api.get('/api/v1/approvals'),
      ];
      for (const answer of [...answers, await held]) {
        expect(answer.status).toBe(200);
        expect(isGo(answer)).toBe(false);
        expect(answer.text).toContain('DELEGATION_SCOPE');
      }
      const refused = { status: 403, body: { error: 'DELEGATION_SCOPE' } };
      expect(
        await api.post('/api/v1/grants', { audit_event_id: allowed.body['audit_event_id'] }),
      ).toMatchObject(refused);
      expect(
        await api.post('/api/v1/grants/consume', { grant, action_digest: digestIn(grant) }),
      ).toMatchObject(refused);
      expect(
        await api.post('/api/v1/delegate', { name: 'x', capabilities: ['db.read'], ttl_seconds: 9 }),
      ).toMatchObject(refused);
    }
    expect((await statusOf({ api: admin }, approved)).body).toMatchObject({
      status: 'approved',
      grant: null,
    });

    const told = await eventually(async () => {
      const ended = (await readLog(admin)).filter(
        ({ type, agent }) =>
          type === 'delegation.revoked' && [child.id, grandchild.id].includes(agent?.id ?? ''),
      );
      return ended.length === 2 ? ended : undefined;
    });
    expect(told.map(({ delegation }) => delegation?.id).sort()).toEqual(
      [child.delegationId, grandchild.delegationId].sort(),
    );
  });

  it('was revoked by the parent, an agent above it or an administrator; for others it does not exist', async () => {
    const [parent, stranger] = [await newParent(), await newParent()];
    const child = await delegate(parent, ['db.*']);
    const sibling = await delegate(parent, ['db.*']);
    const grandchild = await delegate(child, ['db.*']);
    const missing = { status: 404, body: { error: 'NOT_FOUND' } };
    for (const { api } of [stranger, sibling, grandchild])
      expect(await revoke(api, grandchild)).toMatchObject(missing);
    expect(await revoke(child.api, child)).toMatchObject(missing);
    expect(await revoke(parent.api, { delegationId: 'del_x' })).toMatchObject(missing);
    const viewer = await addPerson(admin, { name: `viewer-${parent.id}`, role: 'member' });
    expect(await revoke(viewer.api, grandchild)).toMatchObject({ status: 403 });
    expect((await grandchild.api.submit('db.read')).body).toMatchObject({ status: 'executed' });
    // By an agent above the parent.
    expect(await revoke(parent.api, grandchild)).toMatchObject({ body: { revoked: true } });
    expect(await revoke(admin, sibling)).toMatchObject({ body: { revoked: true } });
    const path = `/api/v1/delegate/${child.delegationId}`;
    for (let times = 0; times < 2; times += 1)
      expect(await parent.api.call('DELETE', path)).toMatchObject({
        status: 200,
        body: { revoked: true, delegation_id: child.delegationId },
      });
    for (const { api } of [child, sibling, grandchild])
      expect((await api.submit('db.read')).body).toMatchObject(outOfScope);
  });
});

describe('a delegation that expires', () => {
  it('permits nothing from that moment on, and its end is in the log', async () => {
    const parent = await newParent();
    const child = await delegate(parent, ['db.*', 'mail.*'], { ttl: 3 });
    const id = await requested(child);
    await approve(id);
    expect(isGo(await statusOf(child, id))).toBe(true);
    const ended = await eventually(async () => {
      const answer = await child.api.submit('db.read');
      return answer.body['denial_reason'] === 'DELEGATION_SCOPE' ? answer : undefined;
    });
    expect(ended.body).toMatchObject(outOfScope);
    const after = await statusOf(child, id);
    expect(isGo(after)).toBe(false);
    const entry = await eventually(async () =>
      (await readLog(admin)).find(
        ({ type, delegation }) => type === 'delegation.expired' && delegation?.id === child.delegationId,
      ),
    );
    expect(entry).toMatchObject({ operator: null, agent: { id: child.id } });
    expect(entry.time >= child.expiresAt).toBe(true);
    expect(await revoke(parent.api, child)).toMatchObject({ body: { revoked: false } });
  });
});

describe('a suspended agent', () => {
  it('stops all agents that act for it, until it is resumed', async () => {
    const parent = await newParent();
    const child = await delegate(parent, ['db.*', 'mail.*']);
    const grandchild = await delegate(child, ['db.*', 'mail.*']);
    const first = await grandchild.api.submit('db.read', {}, 'once');
    const approved = await requested(grandchild);
    await approve(approved);
    const grant = String((await statusOf(grandchild, approved)).body['grant']);
    const pending = await requested(grandchild);
    const held = statusOf(grandchild, pending, 60);
    await suspend(parent);
    await approve(pending);
    const consume = () =>
      grandchild.api.post('/api/v1/grants/consume', { grant, action_digest: digestIn(grant) });
    for (const answer of [
      await held,
      await grandchild.api.submit('db.read'),
      await grandchild.api.submit('db.read', {}, 'once'),
      await statusOf(grandchild, approved),
      await grandchild.api.get('/api/v1/approvals'),
      await child.api.submit('db.read'),
    ]) {
      expect(answer.status).toBe(200);
      expect(isGo(answer)).toBe(false);
      expect(answer.text).toContain('AGENT_SUSPENDED');
    }
    const refused = { status: 403, body: { error: 'AGENT_SUSPENDED' } };
    expect(await consume()).toMatchObject(refused);
    expect(
      await grandchild.api.post('/api/v1/grants', { audit_event_id: first.body['audit_event_id'] }),
    ).toMatchObject(refused);
    expect(
      await child.api.post('/api/v1/delegate', { name: 'x', capabilities: ['db.read'], ttl_seconds: 9 }),
    ).toMatchObject(refused);
    expect((await grandchild.api.get('/api/v1/whoami')).body).toMatchObject({ is_active: false });
    await eventually(async () => {
      const { body } = await elsewhere(grandchild).submit('db.read');
      return body['denial_reason'] === 'AGENT_SUSPENDED';
    });
    await resume(parent);
    expect((await grandchild.api.submit('db.read')).body).toMatchObject({ status: 'executed' });
    expect(await consume()).toMatchObject({ status: 200, body: { agent_id: grandchild.id } });
  });
});

describe('what an agent sees', () => {
  it('is its own and that of the agents that act for it', async () => {
    const [parent, stranger] = [await newParent(), await newParent()];
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
    await approve(theirs);
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
    const [parent, stranger] = [await newParent(), await newParent()];
    const earlier = await delegate(parent, ['mail.*']);
    const listen = ({ api }: Pick<Person, 'api'>) => EventSourceClient.open(stack.baseUrl, keyOf(api));
    const [ofParent, ofEarlier, ofStranger, ofAdmin] = await Promise.all(
      [parent, earlier, stranger, { api: admin }].map(listen),
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
      expect(
        ofParent?.heard.every(({ data }) =>
          (data['acting_for'] as string[] | undefined)?.includes(parent.id),
        ),
      ).toBe(true);
      await revoke(admin, earlier);
      await eventually(() => ofEarlier?.heard.some(({ type }) => type === 'delegation.revoked'));
      expect(ofEarlier?.heard.map(({ data }) => data['agent_id'])).toEqual([earlier.id]);
      expect(ofStranger?.heard).toEqual([]);
    } finally {
      for (const client of [ofParent, ofEarlier, ofStranger, ofAdmin]) client?.close();
    }
  });

  it('includes its delegations, by their part in them', async () => {
    const parent = await newParent();
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
    const all = (await list({ api: admin }, '?limit=200')).map(({ id }) => id);
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

describe('when a part of the system dies', () => {
  it('nothing acts while the policy-engine is away, and answers that let nobody act are given all the same', async () => {
    const child = await delegate(await newParent(), ['db.*', 'mail.*']);
    const [approved, pending] = [await requested(child), await requested(child)];
    await approve(approved);
    await stack.halt('policy-engine');
    try {
      expect(await child.api.submit('db.read')).toMatchObject({ status: 503 });
      expect(await statusOf(child, approved)).toMatchObject({ status: 503 });
      expect(await child.api.get('/api/v1/approvals')).toMatchObject({ status: 503 });
      expect(await statusOf(child, pending)).toMatchObject({ status: 200, body: { status: 'pending' } });
      expect(
        await child.api.post('/api/v1/delegate', { name: 'x', capabilities: ['db.read'], ttl_seconds: 9 }),
      ).toMatchObject({ status: 503 });
    } finally {
      await stack.resume('policy-engine');
    }
    await eventually(async () => (await child.api.submit('db.read')).body['status'] === 'executed', {
      within: 20_000,
    });
  });

  it('a gateway that is killed between the two writes leaves a delegation that nobody can use', async () => {
    const parent = await newParent();
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
      stack.kill('gateway');
      expect(await lost).toBe('broken off');
      await lock.query('ROLLBACK');
      await stack.ready('gateway');
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
          (await readLog(admin)).some(
            ({ type, delegation }) => type === 'delegation.expired' && delegation?.id === left.delegation_id,
          ),
        { within: 30_000 },
      );
      const again: Child = await delegate(parent, ['db.*']);
      expect((await again.api.submit('db.read')).body).toMatchObject({ status: 'executed' });
    } finally {
      lock.release(true);
    }
  });
});
