import { createHash } from 'node:crypto';
import { canonicalJson } from '@agentlattice/ledger';
import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { readLog } from './kit/log.js';
import { addAgent, mailAddress } from './kit/people.js';

describe('a grant of an approved request', () => {
  let stack: SharedStack;
  let admin: Api;
  let agent: Api;
  let requests: ReturnType<typeof approvalsOf>;
  let executor: Api;

  beforeAll(async () => {
    stack = await joinSharedStack();
    admin = adminOf(stack);
    agent = agentOf(stack);
    requests = approvalsOf(admin, agent);
    executor = await serviceKey(['grants:consume']);
  });
  afterAll(() => stack.leave());

  const serviceKey = async (scopes: string[], by = admin) => {
    const { body, text } = await by.post('/api/v1/keys', { name: 'executor', kind: 'service', scopes });
    if (body['key'] === undefined) throw new Error(text);
    return admin.as(String(body['key']));
  };
  interface Use {
    readonly grant: string;
    readonly action_digest: string;
  }
  /** An approved action, and the values that are needed to use its grant. */
  async function granted(actionType = 'deploy.production', by = agent): Promise<Use & { id: string }> {
    const { body, text } = await by.submit(actionType, { n: 1 });
    if (body['approval_id'] === undefined) throw new Error(text);
    const id = String(body['approval_id']);
    expect((await requests.approve(id)).status).toBe(200);
    const status = await by.get(`/api/v1/approvals/${id}/status`);
    const view = await by.get(`/api/v1/approvals/${id}`);
    return { id, grant: String(status.body['grant']), action_digest: String(view.body['action_digest']) };
  }
  const consume = ({ grant, action_digest }: Use, by = agent): Promise<Answer> =>
    by.post('/api/v1/grants/consume', { grant, action_digest });
  const asksFor = async (actionType: string, more: Record<string, unknown> = {}) => {
    const id = await requests.asksFor(actionType, more);
    await eventually(async () => (await agent.submit(actionType)).status === 202);
    return id;
  };

  it('is used once, by the agent or by the system that executes its actions, and the use is in the log', async () => {
    for (const [by, operator] of [
      [agent, null],
      [executor, { via: 'api' }],
    ] as const) {
      const use = await granted();
      const first = await consume(use, by);
      expect(first).toMatchObject({
        status: 200,
        body: {
          status: 'consumed',
          approval_id: use.id,
          agent_id: stack.credentials.agent.id,
          action_type: 'deploy.production',
          action_digest: use.action_digest,
        },
      });
      for (const again of [agent, executor])
        expect(await consume(use, again)).toMatchObject({ status: 409, body: { error: 'GRANT_CONSUMED' } });
      const trail = await requests.trail(use.id, 'approval.grant_consumed');
      const used = trail.filter(({ type }) => type === 'approval.grant_consumed');
      expect(used).toHaveLength(1);
      expect(used[0]).toMatchObject({
        decision: null,
        operator: operator === null ? null : expect.objectContaining(operator),
        agent: { id: stack.credentials.agent.id },
        approval_id: use.id,
      });
      // The outcome of the request does not change, and the grant is stored nowhere.
      expect(await requests.show(use.id)).toMatchObject({
        status: 'approved',
        resolved_by: expect.any(String) as string,
      });
      expect(JSON.stringify([trail, await readLog(admin), await requests.show(use.id)])).not.toContain(
        use.grant.split('.')[2],
      );
    }
  });

  it('is used by exactly one of a hundred concurrent calls', async () => {
    const use = await granted();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => consume(use, i % 2 ? agent : executor)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    // On a slow machine some requests get a 503: for them nothing was consumed either.
    for (const { status, body } of answers)
      if (status !== 200) expect(['GRANT_CONSUMED', 'UNAVAILABLE']).toContain(body['error']);
    await eventually(async () => (await consume(use)).body['error'] === 'GRANT_CONSUMED');
    const { history } = (await requests.show(use.id)) as { history: { type: string }[] };
    expect(history.filter(({ type }) => type === 'approval.grant_consumed')).toHaveLength(1);
  });

  it('is valid for its own action only', async () => {
    const use = await granted();
    const digest = (metadata: object) =>
      createHash('sha256')
        .update(
          canonicalJson({
            action_type: 'deploy.production',
            agent_id: stack.credentials.agent.id,
            data_accessed: [],
            metadata,
            org_id: stack.credentials.org_id,
          }),
        )
        .digest('base64url');
    expect(await consume({ ...use, action_digest: digest({ n: 2 }) })).toMatchObject({
      status: 409,
      body: { error: 'ACTION_MISMATCH' },
    });
    expect((await consume({ ...use, action_digest: digest({ n: 1 }) })).status).toBe(200);
  });

  it('does not exist for other callers, and a forged one does not exist at all', async () => {
    const use = await granted();
    const [head = '', payload = '', signature = ''] = use.grant.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const forged = (changes: object, header = head) =>
      [header, Buffer.from(JSON.stringify({ ...claims, ...changes })).toString('base64url'), signature].join(
        '.',
      );
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    const workspace = await admin.as(stack.instanceAdmin.api_key).post('/api/v1/workspaces', {
      name: 'elsewhere',
      admin: { email: mailAddress('stranger'), name: 'Stranger', password: 'a long password' },
    });
    const stranger = admin.as((workspace.body['admin'] as { api_key: string }).api_key);
    const neighbour = await addAgent(admin, 'neighbour');
    await admin.policy({ name: 'free', action_type: 'free.read', effect: 'allow' });
    const free = await eventually(async () => {
      const { body } = await agent.post('/api/v1/actions', { action_type: 'free.read' }, { prefer: 'grant' });
      return typeof body['grant'] === 'string' ? body['grant'] : undefined;
    });
    for (const [grant, by] of [
      [use.grant, await serviceKey(['grants:consume'], stranger)],
      [use.grant, neighbour.api],
      [forged({ exp: 9e9 }), agent],
      [forged({}, unsigned), agent],
      [`${head}.${payload}.`, agent],
      [`${use.grant}=`, agent],
      ['nonsense', agent],
      [free, agent],
    ] as const)
      expect(await consume({ ...use, grant }, by)).toMatchObject({
        status: 404,
        body: { error: 'NOT_FOUND' },
      });
    expect((await consume(use, await serviceKey(['policies:read']))).status).toBe(403);
    expect((await consume(use, admin)).status).toBe(403);
    expect((await consume({ ...use, action_digest: 'short' })).status).toBe(400);
    expect((await consume(use)).status).toBe(200);
  });

  it('is not used while its agent is suspended', async () => {
    const other = await addAgent(admin, 'suspect');
    const use = await granted('deploy.production', other.api);
    await admin.post(`/api/v1/agents/${other.id}/suspend`, {});
    for (const by of [other.api, executor])
      expect(await consume(use, by)).toMatchObject({ status: 403, body: { error: 'AGENT_SUSPENDED' } });
    await admin.post(`/api/v1/agents/${other.id}/resume`, {});
    expect((await consume(use, executor)).status).toBe(200);
  });

  it('cannot be used once a policy denies the action; a policy that requires approval, or is deleted, does not prevent it', async () => {
    const policy = await asksFor('ledger.write');
    const [denied, left, orphan] = [
      await granted('ledger.write'),
      await granted('ledger.write'),
      await granted('ledger.write'),
    ];
    expect((await consume(left)).status).toBe(200);
    const change = (body: object) => admin.call('PATCH', `/api/v1/policies/${policy}`, { body });
    expect((await change({ effect: 'deny' })).status).toBe(200);
    // From the answer to the change on, no older policies are used.
    for (const by of [agent, executor])
      expect(await consume(denied, by)).toMatchObject({
        status: 403,
        body: { error: 'POLICY_DENIED', denial_reason: 'POLICY_DENIED' },
      });
    expect((await change({ effect: 'require_approval' })).status).toBe(200);
    expect((await consume(denied)).status).toBe(200);
    expect((await admin.call('DELETE', `/api/v1/policies/${policy}`)).status).toBe(200);
    expect((await consume(orphan)).status).toBe(200);
  });

  it('cannot be used once its policy is deleted, when that policy denies on deletion', async () => {
    const policy = await asksFor('ledger.drop', { on_removed: 'deny' });
    const use = await granted('ledger.drop');
    expect((await admin.call('DELETE', `/api/v1/policies/${policy}`)).status).toBe(200);
    expect(await consume(use)).toMatchObject({
      status: 403,
      body: { error: 'POLICY_DENIED', denial_reason: 'POLICY_NOT_FOUND' },
    });
  });
});
