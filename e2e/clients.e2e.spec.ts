import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Api } from './kit/api.js';
import type { DrivenClient, NeutralResult } from './kit/conformance.js';
import { pythonClient } from './kit/python-client.js';
import { typescriptClient } from './kit/typescript-client.js';

/** The same calls on a live system give the same with every client, apart from ids, times and what only one of them shows. */
describe('the clients in TypeScript and Python, side by side on a live system', () => {
  let stack: SharedStack;
  let admin: Api;
  let clients: readonly DrivenClient[];

  beforeAll(async () => {
    const [python, joined] = await Promise.all([pythonClient(), joinSharedStack()]);
    [stack, clients] = [joined, [typescriptClient, python]];
    admin = adminOf(stack);
    await admin.policy({ name: 'reads', action_type: 'db.read', effect: 'allow' });
    await admin.policy({
      ...{ name: 'small refunds', action_type: 'refund.*', effect: 'conditional', on_fail: 'deny' },
      conditions: [{ field: 'amount', operator: 'lte', value: 100 }],
    });
    await admin.policy({ name: 'hasty', action_type: 'hasty', effect: 'require_approval', timeout: '2s' });
  }, 300_000);
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.stop()));
    await stack.leave();
  });

  type Caller = (
    method: string,
    args?: Record<string, unknown>,
    as?: 'agent' | 'admin',
  ) => Promise<NeutralResult>;

  /** Does the same with one client after the other. */
  async function withEach<T>(scenario: (call: Caller) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    for (const client of clients) {
      const call: Caller = (method, args = {}, as = 'agent') =>
        client.call({
          ...{ method, args, baseUrl: stack.baseUrl, client: {} },
          apiKey: stack.credentials[as].api_key,
        });
      results.push(await scenario(call));
    }
    return results;
  }

  /** Both gave the same, and this. */
  async function alike(wanted: object, scenario: (call: Caller) => Promise<unknown>): Promise<void> {
    const [first, second] = (await withEach(scenario)).map(withoutIdsAndTimes);
    expect(first).toMatchObject(wanted);
    expect(second).toMatchObject(wanted);
    const [left, right] = [shared(first, second), shared(second, first)];
    expect(right).toEqual(left);
  }

  async function pending(actionType: string): Promise<string> {
    const found = await eventually(async () => {
      const { body } = await admin.get(`/api/v1/approvals?status=pending&action_type=${actionType}`);
      const [first] = body['approvals'] as { id: string }[];
      return first?.id;
    });
    return found;
  }
  const decide = async (verb: 'approve' | 'deny', actionType = 'deploy.production') =>
    admin.post(`/api/v1/approvals/${await pending(actionType)}/${verb}`, { reason: 'reviewed' });

  const deploy = { action_type: 'deploy.production', metadata: { service: 'api', n: 1.5 } };
  const resultOf = (told: NeutralResult): Record<string, unknown> => {
    if (!('result' in told)) throw new Error(JSON.stringify(told));
    return told.result as Record<string, unknown>;
  };

  it('execute: allowed', () =>
    alike({ result: { status: 'executed', verdict: 'executed', policy_name: 'reads' } }, (call) =>
      call('execute', { action_type: 'db.read', metadata: { table: 'orders' } }),
    ));

  it('execute: denied by a condition', () =>
    alike({ result: { status: 'denied', denial_reason: 'CONDITIONS_DENIED' } }, (call) =>
      call('execute', { action_type: 'refund.order', metadata: { amount: 500 } }),
    ));

  it('execute: no policy', () =>
    alike({ result: { status: 'policy_not_found', verdict: 'denied' } }, (call) =>
      call('execute', { action_type: 'nobody.knows' }),
    ));

  it('execute: the same event id with other content is refused', async () => {
    let n = 0;
    await alike({ error: { class: 'error', code: 'IDEMPOTENCY_KEY_REUSED', status: 422 } }, async (call) => {
      const event_id = `build-${String(++n)}`;
      await call('execute', { action_type: 'db.read', event_id });
      return call('execute', { action_type: 'db.read', event_id, metadata: { other: true } });
    });
  });

  it('execute, list, show how it stands, withdraw', () =>
    alike(
      {
        asked: { result: { status: 'requested', policy_name: 'production-deploys' } },
        listed: { action_type: 'deploy.production', metadata: deploy.metadata, status: 'pending' },
        cancelled: { result: { status: 'denied', denial_reason: 'CANCELLED' } },
      },
      async (call) => {
        const asked = await call('execute', deploy);
        const { approval_id } = resultOf(asked);
        const listed = await eventually(async () => {
          const told = await call('list_pending_approvals', {}, 'admin');
          const approvals = (told as { result: Record<string, unknown>[] }).result;
          return approvals.find((one) => one['approval_id'] === approval_id);
        });
        const cancelled = await call('cancel', { approval_id, reason: 'not needed' });
        return { asked, listed, cancelled };
      },
    ));

  it('gate: allowed', () =>
    alike({ result: { status: 'executed', policy_name: 'reads', approval_id: null } }, (call) =>
      call('gate', { action_type: 'db.read' }),
    ));

  it('gate: approved, by whom and why', () =>
    alike(
      { result: { status: 'executed', reason: 'reviewed', resolved_by_name: 'Administrator' } },
      async (call) => {
        const waiting = call('gate', deploy);
        await decide('approve');
        return waiting;
      },
    ));

  it('gate: denied', () =>
    alike({ error: { class: 'denied', reason: 'DENIED_BY_REVIEWER', comment: 'reviewed' } }, async (call) => {
      const waiting = call('gate', deploy);
      await decide('deny');
      return waiting;
    }));

  it('gate: nobody decides before the deadline', () =>
    alike({ error: { class: 'timeout', code: 'APPROVAL_TIMEOUT' } }, (call) =>
      call('gate', { action_type: 'hasty' }),
    ));

  it('gate: withdrawn when the program waits no longer', () =>
    alike({ told: { error: { class: 'timeout' } }, status: 'cancelled' }, async (call) => {
      const told = await call('gate', { ...deploy, timeout_ms: 1_500 });
      if (!('error' in told)) throw new Error('it passed');
      const { body } = await admin.get(`/api/v1/approvals/${String(told.error['approval_id'])}`);
      return { told, status: body['status'] };
    }));

  it('can_i', () =>
    alike(
      [{ result: { allowed: true } }, { result: { allowed: false, needs_approval: true } }],
      async (call) => [
        await call('can_i', { action_type: 'db.read' }),
        await call('can_i', { action_type: 'deploy.production', metadata: { n: 1 } }),
      ],
    ));

  it.each(['approve', 'deny'] as const)('%s, and once more', (verb) =>
    alike(
      {
        decided: { result: { status: verb === 'approve' ? 'approved' : 'denied', reason: 'fine' } },
        again: { error: { class: 'error', code: 'APPROVAL_ALREADY_DECIDED', status: 409 } },
      },
      async (call) => {
        const { approval_id } = resultOf(await call('execute', deploy));
        const args = { approval_id, reason: 'fine' };
        const decided = await call(`${verb}_action`, args, 'admin');
        return { decided, again: await call(`${verb}_action`, args, 'admin') };
      },
    ),
  );

  it('audit', () =>
    alike({ result: { events: [{ action_type: 'db.read', type: 'action.executed' }] } }, (call) =>
      eventually(async () => {
        const told = await call('audit', { action_type: 'db.read', limit: 1 }, 'admin');
        return (resultOf(told)['events'] as unknown[]).length === 1 ? told : undefined;
      }),
    ));

  it('verify', () => alike({ result: { chain_valid: true } }, (call) => call('verify')));

  it('report', () =>
    alike({ result: { status: 'success' } }, async (call) => {
      const { audit_event_id } = resultOf(await call('execute', { action_type: 'db.read' }));
      return call('report', {
        audit_event_id,
        outcome: { status: 'success', message: 'done', metadata: { rows: 3 } },
      });
    }));

  it('whoami, policies, posture', () =>
    alike(
      [{ result: { is_active: true, cb_state: 'closed' } }, { result: { scope: 'org' } }, {}],
      async (call) => [await call('whoami'), await call('policies', { scope: 'org' }), await call('posture')],
    ));

  it('delegate: a child executes within its capabilities, for as long as its block runs', () =>
    alike(
      {
        told: {
          result: {
            results: [{ status: 'executed' }, { status: 'denied', denial_reason: 'DELEGATION_SCOPE' }],
          },
        },
        left: { result: { delegations: [] } },
      },
      async (call) => {
        const actions = ['db.read', 'db.drop'];
        const args = { name: 'reader', capabilities: ['db.read'], ttl: 60, actions };
        const told = await call('delegate', args);
        return { told, left: await call('delegations', { role: 'parent', active_only: true }) };
      },
    ));

  it('delegations, revoke', () =>
    alike(
      {
        listed: { active: true, scope: { capabilities: ['db.*'] }, parent_config_id: '<agt>' },
        revoked: { result: { revoked: true } },
        left: { result: { delegations: [] } },
      },
      async (call) => {
        const body = { name: 'reader', capabilities: ['db.*'], ttl_seconds: 60 };
        const { body: made } = await agentOf(stack).post('/api/v1/delegate', body);
        const live = { role: 'parent', active_only: true };
        const { delegations } = resultOf(await call('delegations', live));
        const revoked = await call('revoke', { delegation_id: made['delegation_id'] });
        return { listed: (delegations as unknown[])[0], revoked, left: await call('delegations', live) };
      },
    ));

  it('register', async () => {
    let n = 0;
    await alike({ result: { name: 'made', api_key: '<secret>' } }, async (call) => {
      const name = `made-${String(++n)}`;
      const told = await call('register', { name, service_key: stack.credentials.service_key });
      return {
        result: { ...resultOf(told), name: String(resultOf(told)['name']).replace(`-${String(n)}`, '') },
      };
    });
  });

  it('a wrong key', async () => {
    const told = await Promise.all(
      clients.map((client) =>
        client.call({
          ...{ method: 'whoami', args: {}, baseUrl: stack.baseUrl, client: {} },
          apiKey: 'al_agent_x',
        }),
      ),
    );
    for (const one of told)
      expect(one).toMatchObject({ error: { class: 'error', code: 'UNAUTHENTICATED', status: 401 } });
  });
});

/** What differs with every call, by what it is. */
function withoutIdsAndTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIdsAndTimes);
  if (typeof value === 'string')
    return value
      .replaceAll(/\b(apr|evt|agt|pol|mbr|org|key|del)_[0-9a-z]{26}\b/g, '<$1>')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
      .replaceAll(/\bal_agent_[\w-]+|^eyJ[\w.-]+$/g, '<secret>')
      .replaceAll(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[0-9a-f]{64}$|^[\w-]{43}$/g, '<drawn>');
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !grows.has(name))
      .map(([name, member]) => [name, withoutIdsAndTimes(member)]),
  );
}

/** Counts that go on, what each client words itself, and the idempotency key, which is drawn. */
const grows: ReadonlySet<string> = new Set([
  ...['seq', 'time_left_seconds', 'verified_through_row', 'request_id', 'message', 'event_id', 'details'],
  ...['score', 'components', 'history'],
]);

/** `value` with the members alone that both have; null and missing say the same. */
function shared(value: unknown, other: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(other)) return value.map((item, i) => shared(item, other[i]));
  if (!isObject(value) || !isObject(other)) return value ?? null;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      Object.hasOwn(other, name) ? [[name, shared(member, other[name])]] : [],
    ),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
