import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '@agentlattice/testkit';
import {
  delegate,
  type DelegationSystem,
  isGo,
  requested,
  revoke,
  startDelegationSystem,
  statusOf,
} from './kit/delegations.js';
import { readLog } from './kit/log.js';
import { addPerson, type Person } from './kit/people.js';

const run = promisify(execFile);
const outOfScope = { status: 'denied', denial_reason: 'DELEGATION_SCOPE' };
const text = expect.any(String) as string;
const digestIn = (grant: string) =>
  (JSON.parse(Buffer.from(grant.split('.')[1] ?? '', 'base64url').toString()) as { action_digest: string })
    .action_digest;

let system: DelegationSystem;
beforeAll(async () => {
  system = await startDelegationSystem();
});
afterAll(() => system.stop());

describe('a chain of agents', () => {
  it('narrows with every child, and the entry of a verdict names who acts for whom', async () => {
    const parent = await system.newParent();
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
      const entries = await readLog(system.admin);
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
    expect((await system.admin.get('/api/v1/audit/verify?wait=true')).body).toMatchObject({
      chain_valid: true,
    });
  });

  it('is in a log that a verifier without our code finds sound', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'al-delegation-'));
    try {
      const note = await system.admin.get('/api/v1/audit/checkpoint');
      const entries = await readLog(system.admin);
      expect(entries.some(({ v }) => v === 2)).toBe(true);
      const [log, checkpoint] = [join(folder, 'log.ndjson'), join(folder, 'checkpoint.txt')];
      await writeFile(log, (await system.admin.get('/api/v1/audit/entries?from=0&limit=1000')).text);
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
    const child = await delegate(await system.newParent(), ['db.*'], { ttl: 100 });
    const grandchild = await delegate(child, ['db.read'], { ttl: 86_400 });
    expect(grandchild.expiresAt).toBe(child.expiresAt);
  });

  it('is judged by policies for every agent of it, and the strictest verdict counts', async () => {
    const parent = await system.newParent();
    await system.admin.policy({
      name: `names-${parent.id}`,
      action_type: 'names.list',
      effect: 'conditional',
      conditions: [{ field: 'agent.id', operator: 'neq', value: parent.id }],
      on_fail: 'deny',
    });
    const child = await delegate(parent, ['*']);
    await eventually(
      async () => (await (await system.newParent()).api.submit('names.list')).body['status'] === 'executed',
    );
    for (const { api } of [parent, child])
      expect((await api.submit('names.list')).body).toMatchObject({
        status: 'denied',
        denial_reason: 'CONDITIONS_DENIED',
      });
  });

  it('refuses a header that names another delegation', async () => {
    const parent = await system.newParent();
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
    const parent = await system.newParent();
    const child = await delegate(parent, ['db.*', 'mail.*']);
    const grandchild = await delegate(child, ['db.*', 'mail.send']);
    const allowed = await grandchild.api.submit('db.read', {}, 'once');
    expect(allowed.body).toMatchObject({ status: 'executed' });
    const approved = await requested(grandchild);
    await system.approve(approved);
    const cleared = await statusOf(grandchild, approved);
    const grant = String(cleared.body['grant']);
    const pending = await requested(grandchild);
    const held = statusOf(grandchild, pending, 60);
    expect((await system.elsewhere(grandchild).submit('db.read')).body).toMatchObject({ status: 'executed' });

    expect(await revoke(parent.api, child)).toMatchObject({
      status: 200,
      body: { revoked: true, delegation_id: child.delegationId },
    });
    await system.approve(pending);
    for (const api of [child.api, grandchild.api, system.elsewhere(child), system.elsewhere(grandchild)])
      expect(await api.submit('db.read')).toMatchObject({ status: 200, body: outOfScope });
    for (const api of [grandchild.api, system.elsewhere(grandchild)]) {
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
    expect((await statusOf({ api: system.admin }, approved)).body).toMatchObject({
      status: 'approved',
      grant: null,
    });

    const told = await eventually(async () => {
      const ended = (await readLog(system.admin)).filter(
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
    const [parent, stranger] = [await system.newParent(), await system.newParent()];
    const child = await delegate(parent, ['db.*']);
    const sibling = await delegate(parent, ['db.*']);
    const grandchild = await delegate(child, ['db.*']);
    const missing = { status: 404, body: { error: 'NOT_FOUND' } };
    for (const { api } of [stranger, sibling, grandchild])
      expect(await revoke(api, grandchild)).toMatchObject(missing);
    expect(await revoke(child.api, child)).toMatchObject(missing);
    expect(await revoke(parent.api, { delegationId: 'del_x' })).toMatchObject(missing);
    const viewer = await addPerson(system.admin, { name: `viewer-${parent.id}`, role: 'member' });
    expect(await revoke(viewer.api, grandchild)).toMatchObject({ status: 403 });
    expect((await grandchild.api.submit('db.read')).body).toMatchObject({ status: 'executed' });
    // By an agent above the parent.
    expect(await revoke(parent.api, grandchild)).toMatchObject({ body: { revoked: true } });
    expect(await revoke(system.admin, sibling)).toMatchObject({ body: { revoked: true } });
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
    const parent = await system.newParent();
    const child = await delegate(parent, ['db.*', 'mail.*'], { ttl: 3 });
    const id = await requested(child);
    await system.approve(id);
    expect(isGo(await statusOf(child, id))).toBe(true);
    const ended = await eventually(async () => {
      const answer = await child.api.submit('db.read');
      return answer.body['denial_reason'] === 'DELEGATION_SCOPE' ? answer : undefined;
    });
    expect(ended.body).toMatchObject(outOfScope);
    const after = await statusOf(child, id);
    expect(isGo(after)).toBe(false);
    const entry = await eventually(async () =>
      (await readLog(system.admin)).find(
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
    const parent = await system.newParent();
    const child = await delegate(parent, ['db.*', 'mail.*']);
    const grandchild = await delegate(child, ['db.*', 'mail.*']);
    const first = await grandchild.api.submit('db.read', {}, 'once');
    const approved = await requested(grandchild);
    await system.approve(approved);
    const grant = String((await statusOf(grandchild, approved)).body['grant']);
    const pending = await requested(grandchild);
    const held = statusOf(grandchild, pending, 60);
    await system.suspend(parent);
    await system.approve(pending);
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
      const { body } = await system.elsewhere(grandchild).submit('db.read');
      return body['denial_reason'] === 'AGENT_SUSPENDED';
    });
    await system.resume(parent);
    expect((await grandchild.api.submit('db.read')).body).toMatchObject({ status: 'executed' });
    expect(await consume()).toMatchObject({ status: 200, body: { agent_id: grandchild.id } });
  });
});
