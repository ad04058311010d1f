import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, type Api } from './kit/api.js';
import { PublishedClient } from './kit/published-client.js';

/** The client of existing users must work here with only another `base_url`. */
describe('the published Python client, unmodified', () => {
  let stack: SharedStack;
  let admin: Api;
  let python: PublishedClient;
  let key: string;

  beforeAll(async () => {
    stack = await joinSharedStack();
    python = await PublishedClient.install(stack.baseUrl);
    admin = adminOf(stack);
    key = stack.credentials.agent.api_key;
    await admin.policy({ name: 'reads', action_type: 'db.read', effect: 'allow' });
    await admin.policy({
      name: 'small refunds',
      action_type: 'refund.*',
      effect: 'conditional',
      conditions: [{ field: 'amount', operator: 'lte', value: 100 }],
      on_fail: 'deny',
    });
    await admin.policy({
      name: 'hasty',
      action_type: 'hasty.act',
      effect: 'require_approval',
      timeout: '2s',
    });
  }, 300_000);
  afterAll(async () => {
    await python.stop();
    await stack.leave();
  });

  const polling = { gate_poll_interval_ms: 100 };
  const execute = (action_type: string, options?: Record<string, unknown>) =>
    python.call('execute', { key, args: { action_type, options } });
  const gate = (action_type: string, settings: Record<string, number> = polling) =>
    python.call('gate', { key, settings, args: { action_type } });

  /** The one request that is open for an action type. */
  async function pending(actionType: string): Promise<string> {
    let id = '';
    await eventually(async () => {
      const { body } = await admin.get(`/api/v1/approvals?status=pending&action_type=${actionType}`);
      const [first] = body['approvals'] as { id: string }[];
      id = first?.id ?? '';
      return id !== '';
    });
    return id;
  }

  it('execute: allowed', async () => {
    expect(await execute('db.read', { metadata: { table: 'orders' } })).toMatchObject({
      result: { status: 'executed', policy_name: 'reads', conditions_evaluated: [] },
    });
  });

  it('execute: needs a person', async () => {
    expect(await execute('deploy.production', { metadata: { service: 'api' } })).toMatchObject({
      result: {
        status: 'requested',
        approval_id: expect.stringMatching(/^apr_/) as string,
        timeout_at: expect.any(String) as string,
        message: expect.any(String) as string,
      },
    });
  });

  it('execute: denied with the conditions that failed', async () => {
    expect(await execute('refund.order', { metadata: { amount: 500 } })).toMatchObject({
      result: {
        status: 'denied',
        denial_reason: 'CONDITIONS_DENIED',
        conditions_evaluated: [{ field: 'amount', operator: 'lte', expected: 100, result: false }],
      },
    });
  });

  it('execute: no policy', async () => {
    expect(await execute('nobody.knows')).toMatchObject({
      result: { status: 'policy_not_found', denial_reason: 'POLICY_NOT_FOUND' },
    });
  });

  it('execute: the same event id is the same action', async () => {
    const options = { event_id: 'build-17', metadata: { n: 1 } };
    const first = await execute('db.read', options);
    expect(await execute('db.read', options)).toEqual(first);
    expect(await execute('db.read', { event_id: 'build-17', metadata: { n: 2 } })).toMatchObject({
      error: { class: 'AgentLatticeError', code: 'IDEMPOTENCY_KEY_REUSED' },
    });
  });

  it('gate: allowed returns at once', async () => {
    expect(await gate('db.read')).toEqual({ result: null });
  });

  it('gate: approved, at the client’s own pace of polling', async () => {
    await admin.policy({ name: 'releases', action_type: 'release', effect: 'require_approval' });
    const waiting = gate('release', {});
    const id = await pending('release');
    const approved = await admin.post(`/api/v1/approvals/${id}/approve`, { reason: 'reviewed' });
    expect(approved).toMatchObject({ status: 200, body: { status: 'approved' } });
    expect(await waiting).toEqual({ result: null });
  }, 30_000);

  it('gate: denied', async () => {
    await admin.policy({ name: 'wipes', action_type: 'wipe', effect: 'require_approval' });
    const waiting = gate('wipe');
    const id = await pending('wipe');
    expect((await admin.post(`/api/v1/approvals/${id}/deny`, { reason: 'not today' })).status).toBe(200);
    expect(await waiting).toMatchObject({
      error: { class: 'AgentLatticeDeniedError', approval_id: id, reason: 'DENIED_BY_REVIEWER' },
    });
  });

  it('gate: denied at once, without a request', async () => {
    await admin.policy({ name: 'no drops', action_type: 'db.drop', effect: 'deny' });
    expect(await gate('db.drop')).toMatchObject({
      error: { class: 'AgentLatticeDeniedError', reason: 'POLICY_DENIED', policy: 'no drops' },
    });
  });

  it('gate: timed out', async () => {
    expect(await gate('hasty.act')).toMatchObject({
      error: { class: 'AgentLatticeTimeoutError', code: 'APPROVAL_TIMEOUT' },
    });
  }, 30_000);

  it('gate: released by a change of the policy', async () => {
    const policy = await admin.policy({ name: 'notes', action_type: 'note', effect: 'require_approval' });
    const waiting = gate('note');
    await pending('note');
    expect(
      (await admin.call('PATCH', `/api/v1/policies/${policy}`, { body: { effect: 'allow' } })).status,
    ).toBe(200);
    expect(await waiting).toEqual({ result: null });
  }, 30_000);

  it('gate: no policy', async () => {
    expect(await gate('nobody.knows')).toMatchObject({ error: { code: 'POLICY_NOT_FOUND' } });
  });

  it('gate: a wrong key', async () => {
    expect(
      await python.call('gate', { key: 'al_agent_wrong', args: { action_type: 'db.read' } }),
    ).toMatchObject({
      error: { class: 'AgentLatticeError', code: 'UNAUTHENTICATED' },
    });
  });

  it('can_i', async () => {
    const canI = (action_type: string) => python.call('can_i', { key, args: { action_type } });
    expect(await canI('db.read')).toMatchObject({ result: { allowed: true, needs_approval: false } });
    expect(await canI('deploy.production')).toMatchObject({
      result: { allowed: false, needs_approval: true, policy_name: 'production-deploys' },
    });
    expect(await canI('nobody.knows')).toMatchObject({ result: { allowed: false, needs_approval: false } });
  });

  it('whoami, also when suspended', async () => {
    expect(await python.call('whoami', { key })).toMatchObject({
      result: {
        config_id: stack.credentials.agent.id,
        org_id: stack.credentials.org_id,
        is_active: true,
        cb_state: 'closed',
        delegations: { as_parent: [], as_child: [] },
      },
    });
    const { body } = await admin.post('/api/agents/register', { name: 'short-lived' });
    await admin.post(`/api/v1/agents/${String(body['id'])}/suspend`, {});
    const suspended = String(body['api_key']);
    await eventually(async () => {
      const told = await python.call('whoami', { key: suspended });
      return 'result' in told && told.result['cb_state'] === 'open' && told.result['is_active'] === false;
    });
  });

  describe('delegation', () => {
    const allowed = ['executed', null];
    const outOfScope = ['denied', 'DELEGATION_SCOPE'];
    const child = { name: 'reader', capabilities: ['db.read'], ttl: 60 };
    const actions = ['db.read', 'release'];

    it.each(['delegate', 'delegate_sync'])(
      '%s: a child may do less, and nothing after its block',
      async (op) => {
        for (let times = 0; times < 2; times += 1)
          expect(await python.call(op, { key, args: { ...child, actions } })).toEqual({
            result: { during: [allowed, outOfScope], after: outOfScope },
          });
      },
    );

    it('a chain narrows, and ends with its first link', async () => {
      const args = {
        outer: ['db.*'],
        inner: ['db.read'],
        ttl: 60,
        actions: ['db.read', 'db.drop', 'release'],
      };
      expect(await python.call('chain', { key, args })).toEqual({
        result: {
          during: [allowed, outOfScope, outOfScope],
          gated: null,
          refused: 'DELEGATION_SCOPE',
          after: outOfScope,
        },
      });
    });

    it.each(['parallel', 'parallel_sync'])('%s: several children at once', async (op) => {
      const children = [child, child, { ...child, capabilities: ['mail.send'] }];
      expect(await python.call(op, { key, args: { children, action: 'db.read' } })).toEqual({
        result: {
          during: [allowed, allowed, outOfScope],
          after: [outOfScope, outOfScope, outOfScope],
        },
      });
    });

    it('delegations, whoami and revoke', async () => {
      const args = { name: 'reader', capabilities: ['db.read'], action: 'db.read' };
      const entry = {
        id: expect.stringMatching(/^del_/) as string,
        scope: { capabilities: ['db.read'] },
        active: true,
        parent_config_id: stack.credentials.agent.id,
        child_config_id: expect.stringMatching(/^agt_/) as string,
      };
      expect(await python.call('revoked', { key, args })).toMatchObject({
        result: {
          listed: [entry],
          as_child: [entry],
          result: { revoked: true, delegation_id: entry.id },
          still_active: false,
          after: outOfScope,
        },
      });
    });

    it('is refused as the client reports it', async () => {
      const refused = await python.call('delegate', {
        key,
        args: { ...child, ttl: 86_401, actions },
      });
      expect(refused).toMatchObject({ error: { class: 'AgentLatticeError', code: 'VALIDATION_FAILED' } });
    });
  });

  it('subscribe: live events of the agent and of those that act for it', async () => {
    const name = 'everything';
    const listen = await python.call('subscribe', { key, args: { name, org_id: stack.credentials.org_id } });
    expect(listen).toEqual({ result: null });
    type Heard = { event_type: string; org_id: string; agent_id: string; timestamp: string }[];
    const heard = async () => {
      const told = await python.call('heard', { key, args: { name } });
      return 'result' in told ? (told.result as unknown as Heard) : [];
    };
    const ofType = async (type: string) => (await heard()).filter(({ event_type }) => event_type === type);
    // The first ones may happen before it has joined.
    await eventually(async () => {
      await execute('db.read');
      return (await ofType('action.executed')).length > 0;
    });
    const child = { name: 'heard', capabilities: ['db.read'], ttl: 60, actions: ['db.read', 'release'] };
    expect(await python.call('delegate', { key, args: child })).toMatchObject({ result: {} });
    const [revoked] = await eventually(async () => {
      const found = await ofType('delegation.revoked');
      return found.length === 1 ? found : undefined;
    });
    expect(revoked).toMatchObject({
      org_id: stack.credentials.org_id,
      agent_id: expect.stringMatching(/^agt_/) as string,
    });
    await eventually(async () =>
      (await ofType('action.denied')).some(({ agent_id }) => agent_id === revoked?.agent_id),
    );
    expect(await python.call('unsubscribe', { key, args: { name } })).not.toHaveProperty('error');
  });

  it('policies', async () => {
    for (const scope of [undefined, 'own', 'org'])
      expect(
        await python.call('policies', { key, args: scope === undefined ? {} : { scope } }),
      ).toMatchObject({
        result: {
          policies: expect.arrayContaining([
            expect.objectContaining({ name: 'reads', version: 1, approval_required: false }),
            expect.objectContaining({ name: 'small refunds', has_conditions: true }),
          ]) as unknown,
        },
      });
  });

  it('policies without a scope are those in force, for an agent; operators see all', async () => {
    const id = await admin.policy({ name: 'at rest', action_type: 'rests', effect: 'deny', active: false });
    const seenBy = async (api: Api) => {
      const { body } = await api.get('/api/v1/policies?limit=200');
      return { scope: body['scope'], ids: (body['policies'] as { id: string }[]).map((policy) => policy.id) };
    };
    const byAgent = await seenBy(admin.as(key));
    expect(byAgent.scope).toBe('own');
    expect(byAgent.ids).not.toContain(id);
    const byAdmin = await seenBy(admin);
    expect(byAdmin.scope).toBe('org');
    expect(byAdmin.ids).toContain(id);
  });

  it('audit, page by page', async () => {
    await execute('db.read');
    await eventually(async () => {
      const told = await python.call('audit', { key, args: { limit: 1, action_type: 'db.read' } });
      return 'result' in told && (told.result['events'] as unknown[]).length === 1;
    });
    const first = await python.call('audit', { key, args: { limit: 1 } });
    if (!('result' in first)) throw new Error(first.error.message);
    expect(first.result['events']).toEqual([
      expect.objectContaining({ action_type: expect.any(String) as string, data_accessed: [] }),
    ]);
    const next = await python.call('audit', { key, args: { limit: 1, cursor: first.result['next_cursor'] } });
    if (!('result' in next)) throw new Error(next.error.message);
    expect(next.result['events']).not.toEqual(first.result['events']);
  });

  it('verify', async () => {
    await eventually(async () => {
      const told = await python.call('verify', { key });
      if (!('result' in told)) throw new Error(told.error.message);
      expect(told.result).toMatchObject({ org_id: stack.credentials.org_id, chain_valid: true });
      return Number(told.result['verified_through_row']) > 0;
    });
  });

  it('report', async () => {
    const done = await execute('db.read');
    if (!('result' in done)) throw new Error(done.error.message);
    const { audit_event_id } = done.result;
    for (const status of ['failure', 'success'])
      expect(
        await python.call('report', {
          key,
          args: { audit_event_id, outcome: { status, message: 'done', metadata: { rows: 3 } } },
        }),
      ).toMatchObject({
        result: { audit_event_id, status, reported_at: expect.any(String) as string },
      });
  });

  it('posture', async () => {
    const told = await python.call('posture', { key });
    if (!('result' in told)) throw new Error(told.error.message);
    const { score, components } = told.result as {
      score: number;
      components: Record<string, { score: number; max: number }>;
    };
    expect(score).toBeGreaterThanOrEqual(0);
    expect(score).toBeLessThanOrEqual(100);
    expect(Object.keys(components).length).toBeGreaterThan(0);
    for (const component of Object.values(components))
      expect(component.score).toBeLessThanOrEqual(component.max);
  });

  it('register', async () => {
    const told = await python.call('register', {
      key: stack.credentials.service_key,
      args: { name: 'made-by-python', description: 'an agent' },
    });
    expect(told).toMatchObject({
      result: {
        config: { name: 'made-by-python', api_key: expect.stringMatching(/^al_agent_/) as string },
        whoami: { name: 'made-by-python', is_active: true },
      },
    });
    expect(await python.call('register', { key, args: { name: 'not allowed' } })).toMatchObject({
      error: { code: 'FORBIDDEN' },
    });
  });

  describe('for programs without an event loop', () => {
    const sync = (op: string, args: Record<string, unknown> = {}) =>
      python.call(`${op}_sync`, { key, args, settings: polling });

    it('execute, report', async () => {
      const done = await sync('execute', { action_type: 'db.read', options: { metadata: { n: 1 } } });
      expect(done).toMatchObject({ result: { status: 'executed', policy_name: 'reads' } });
      const { audit_event_id } = (done as { result: Record<string, unknown> }).result;
      expect(
        await sync('report', { audit_event_id, outcome: { status: 'success', message: 'done' } }),
      ).toMatchObject({ result: { audit_event_id, status: 'success' } });
    });

    it('gate: allowed, approved, denied', async () => {
      expect(await sync('gate', { action_type: 'db.read' })).toEqual({ result: null });
      await admin.policy({ name: 'sync', action_type: 'sync.act', effect: 'require_approval' });
      for (const [verb, wanted] of [
        ['approve', { result: null }],
        ['deny', { error: { class: 'AgentLatticeDeniedError' } }],
      ] as const) {
        const waiting = sync('gate', { action_type: 'sync.act' });
        await admin.post(`/api/v1/approvals/${await pending('sync.act')}/${verb}`, {});
        expect(await waiting).toMatchObject(wanted);
      }
    }, 30_000);

    it.each([
      ['can_i', { action_type: 'db.read' }, { allowed: true }],
      ['whoami', {}, { is_active: true, cb_state: 'closed' }],
      ['policies', { scope: 'org' }, { policies: expect.any(Array) as unknown }],
      ['audit', { limit: 1 }, { events: [expect.any(Object) as unknown] }],
      ['verify', {}, { chain_valid: true }],
      ['posture', {}, { score: expect.any(Number) as number }],
    ])('%s', async (op, args, wanted) => {
      await eventually(async () => 'result' in (await sync(op, args)));
      expect(await sync(op, args)).toMatchObject({ result: wanted });
    });

    it('register', async () => {
      expect(
        await python.call('register_sync', {
          key: stack.credentials.service_key,
          args: { name: 'made-without-a-loop' },
        }),
      ).toMatchObject({ result: { whoami: { name: 'made-without-a-loop' } } });
    });
  });
});
