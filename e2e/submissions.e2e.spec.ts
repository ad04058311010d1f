import { createHash, createPublicKey, verify } from 'node:crypto';
import { canonicalJson } from '@agentlattice/ledger';
import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { readLog } from './kit/log.js';

describe('an action, from request to verifiable entry', () => {
  let stack: SharedStack;
  let admin: Api;
  let agent: Api;

  beforeAll(async () => {
    stack = await joinSharedStack();
    admin = adminOf(stack);
    agent = agentOf(stack);
    await admin.policy({ name: 'reads', action_type: 'db.read', effect: 'allow' });
    await admin.policy({ name: 'no drops', action_type: 'db.drop', effect: 'deny' });
    await admin.policy({
      name: 'small changes',
      action_type: 'change.*',
      effect: 'conditional',
      conditions: [{ field: 'size', operator: 'lte', value: 10 }],
      timeout: '8h',
    });
    await admin.policy({
      name: 'strict changes',
      action_type: 'change.strict',
      effect: 'conditional',
      conditions: [{ field: 'size', operator: 'lte', value: 10 }],
      on_fail: 'deny',
    });
  });
  afterAll(() => stack.leave());

  it.each([
    ['db.read', {}, 200, { status: 'executed', verdict: 'executed', policy_name: 'reads' }],
    [
      'db.drop',
      {},
      200,
      { status: 'denied', verdict: 'denied', denial_reason: 'POLICY_DENIED', policy_name: 'no drops' },
    ],
    ['change.x', { size: 10 }, 200, { status: 'executed', policy_name: 'small changes' }],
    ['change.x', { size: 11 }, 202, { status: 'requested', verdict: 'pending_approval' }],
    ['change.x', { size: '5' }, 202, { status: 'requested' }],
    ['change.strict', { size: 11 }, 200, { status: 'denied', denial_reason: 'CONDITIONS_DENIED' }],
    ['deploy.production', {}, 202, { status: 'requested', policy_name: 'production-deploys' }],
    [
      'unheard.of',
      {},
      200,
      { status: 'policy_not_found', verdict: 'denied', denial_reason: 'POLICY_NOT_FOUND' },
    ],
  ])('%s with %j is answered %d %j', async (actionType, metadata, status, wanted) => {
    const answer = await agent.submit(actionType, metadata);
    expect(answer).toMatchObject({ status, body: wanted });
    expect(answer.body['conditions_evaluated']).toBeInstanceOf(Array);
    const id = String(answer.body['audit_event_id']);
    const entry = (await readLog(admin)).find((candidate) => candidate.id === id);
    expect(entry).toMatchObject({
      action_type: actionType,
      agent: { id: stack.credentials.agent.id },
      decision: String(wanted.status).replace('policy_not_found', 'denied'),
      correlation_id: answer.headers.get('x-request-id'),
    });
  });

  it('a requested action is opened as a stream of events and can be read back', async () => {
    const { body } = await agent.submit('change.x', { size: 99, ticket: 'OPS-1' });
    const id = String(body['approval_id']);
    const read = await admin.get(`/api/v1/approvals/${id}`);
    expect(read).toMatchObject({
      status: 200,
      body: {
        id,
        status: 'pending',
        action_type: 'change.x',
        metadata: { size: 99, ticket: 'OPS-1' },
        audit_event_id: body['audit_event_id'],
        timeout_at: body['timeout_at'],
        policy: { name: 'small changes' },
        conditions_evaluated: [{ field: 'size', operator: 'lte', expected: 10, result: false }],
        history: [{ type: 'approval.opened' }],
      },
    });
    const wait = Date.parse(String(body['timeout_at'])) - Date.now();
    expect(wait).toBeGreaterThan(7.9 * 3_600_000);
    expect(wait).toBeLessThanOrEqual(8 * 3_600_000);
    for (const path of [`/api/approvals/${id}/status`, `/api/v1/approvals/${id}/status`])
      expect((await agent.get(path)).body).toEqual({
        status: 'pending',
        approval_id: id,
        reason: null,
        denial_reason: null,
        resolved_by: null,
        resolved_by_name: null,
        resolved_at: null,
        timeout_at: body['timeout_at'],
        grant: null,
      });
    const listed = (await admin.get('/api/v1/approvals?status=pending&action_type=change.x&limit=200')).body;
    expect(listed['approvals']).toContainEqual(expect.objectContaining({ id }));
    await eventually(async () =>
      (await readLog(admin)).some((entry) => entry.type === 'approval.opened' && entry.approval_id === id),
    );
  });

  it('a request without a decision times out, with one entry in the log', async () => {
    await admin.policy({
      name: 'hasty',
      action_type: 'hasty.act',
      effect: 'require_approval',
      timeout: '1s',
    });
    // A change of policies is in force within a second, not at once.
    await eventually(
      async () =>
        (await agent.get('/api/v1/policies/check?action_type=hasty.act')).body['needs_approval'] === true,
    );
    const { body } = await agent.submit('hasty.act');
    const id = String(body['approval_id']);
    await eventually(
      async () => (await agent.get(`/api/approvals/${id}/status`)).body['status'] === 'timed_out',
      {
        within: 20_000,
      },
    );
    expect((await agent.get(`/api/approvals/${id}/status`)).body).toMatchObject({
      reason: 'approval_timeout',
      resolved_by: null,
    });
    const decided = await eventually(async () => {
      const entries = (await readLog(admin)).filter((entry) => entry.approval_id === id);
      return entries.length === 3 ? entries : undefined;
    });
    expect(decided.map(({ type, decision }) => [type, decision])).toEqual([
      ['action.requested', 'requested'],
      ['approval.opened', null],
      ['approval.timed_out', 'timed_out'],
    ]);
  });

  describe('is idempotent', () => {
    it('the same event id with the same content gets the first answer, also from many at once', async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => agent.submit('db.read', { n: 1 }, 'once')),
      );
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect((await agent.submit('db.read', { n: 1 }, 'once')).text).toBe(answers[0]?.text);
      const id = answers[0]?.body['audit_event_id'];
      expect((await readLog(admin)).filter((entry) => entry.id === id)).toHaveLength(1);
    });

    it('also for requests, and after the policy has changed', async () => {
      const policy = await admin.policy({
        name: 'fickle',
        action_type: 'fickle.act',
        effect: 'require_approval',
      });
      const [one, two] = await Promise.all([
        agent.submit('fickle.act', {}, 'fickle'),
        agent.submit('fickle.act', {}, 'fickle'),
      ]);
      expect(one).toMatchObject({ status: 202 });
      expect(two.text).toBe(one.text);
      await admin.call('PATCH', `/api/v1/policies/${policy}`, { body: { effect: 'deny' } });
      await eventually(async () => (await agent.submit('fickle.act')).body['status'] === 'denied');
      expect((await agent.submit('fickle.act', {}, 'fickle')).text).toBe(one.text);
    });

    it('the same event id with other content is refused', async () => {
      await agent.submit('db.read', { n: 1 }, 'reused');
      expect(await agent.submit('db.read', { n: 2 }, 'reused')).toMatchObject({
        status: 422,
        body: { error: 'IDEMPOTENCY_KEY_REUSED' },
      });
      expect((await agent.submit('db.drop', { n: 1 }, 'reused')).status).toBe(422);
    });

    it('differing repeats do not change the first answer', async () => {
      const first = await agent.submit('db.read', { n: 0 }, 'mixed');
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, i) => agent.submit('db.read', { n: i % 2 }, 'mixed')),
      );
      answers.forEach((answer, i) => {
        if (i % 2 === 0) expect(answer.text).toBe(first.text);
        else expect(answer.status).toBe(422);
      });
    });

    it('event ids are per agent, and the timestamp is not part of the content', async () => {
      const other = await admin.post('/api/agents/register', { name: 'other' });
      const otherAgent = admin.as(String(other.body['api_key']));
      const mine = await agent.submit('db.read', {}, 'shared');
      expect((await otherAgent.submit('db.read', {}, 'shared')).body['audit_event_id']).not.toBe(
        mine.body['audit_event_id'],
      );
      const later = await agent.post(
        '/api/v1/actions',
        { action_type: 'db.read', metadata: {}, timestamp: '2020-01-01T00:00:00.123456+00:00' },
        { 'idempotency-key': 'shared' },
      );
      expect(later.text).toBe(mine.text);
    });
  });

  it('a grant can be checked offline and names exactly this payload', async () => {
    const metadata = { b: 1, a: [1.5, 'ü', { __proto__: null, x: null }] };
    const { body } = await agent.post(
      '/api/v1/actions',
      { action_type: 'db.read', metadata },
      { prefer: 'grant' },
    );
    const grant = String(body['grant']);
    const [head = '', claims = '', signature = ''] = grant.split('.');
    const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string };
    const { keys } = (await admin.as(null).get('/.well-known/jwks.json')).body as {
      keys: { kid: string }[];
    };
    const jwk = keys.find((key) => key.kid === kid);
    if (jwk === undefined) throw new Error('the key of the grant is not published');
    const key = createPublicKey({ key: jwk as never, format: 'jwk' });
    expect(verify(null, Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'))).toBe(
      true,
    );
    const claimSet = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
    const { id } = stack.credentials.agent;
    const digest = createHash('sha256')
      .update(
        canonicalJson({
          action_type: 'db.read',
          agent_id: id,
          data_accessed: [],
          metadata: JSON.parse(JSON.stringify(metadata)) as unknown,
          org_id: stack.credentials.org_id,
        }),
      )
      .digest('base64url');
    expect(claimSet).toMatchObject({
      sub: id,
      org_id: stack.credentials.org_id,
      approval_id: null,
      event_id: body['audit_event_id'],
      action_type: 'db.read',
      action_digest: digest,
    });
    const again = await agent.post('/api/v1/grants', { audit_event_id: body['audit_event_id'] });
    expect(again).toMatchObject({ status: 200, body: { grant } });
    const denied = await agent.submit('db.drop');
    expect(
      (await agent.post('/api/v1/grants', { audit_event_id: denied.body['audit_event_id'] })).status,
    ).toBe(409);
  });

  it('a dry run gives the same verdict and writes nothing', async () => {
    // Not of the whole log: what happened to earlier requests is written later.
    const entries = () =>
      Promise.all(
        ['db.read', 'change.x', 'unheard.of'].map(async (actionType) => {
          const { body } = await admin.get(`/api/v1/audit?action_type=${actionType}&limit=200`);
          return (body['events'] as unknown[]).length;
        }),
      );
    const before = await entries();
    expect((await agent.get('/api/v1/policies/check?action_type=db.read')).body).toMatchObject({
      allowed: true,
    });
    const asked = await agent.post('/api/v1/policies/check', {
      action_type: 'change.x',
      metadata: { size: 11 },
    });
    expect(asked.body).toMatchObject({ allowed: false, needs_approval: true, policy_name: 'small changes' });
    expect((await agent.get('/api/v1/policies/check?action_type=unheard.of')).body).toMatchObject({
      allowed: false,
      needs_approval: false,
      policy_name: null,
    });
    expect(await entries()).toEqual(before);
  });

  it('a suspended agent is denied every action, and may still call whoami', async () => {
    const { body } = await admin.post('/api/agents/register', { name: 'soon suspended', description: null });
    const loud = admin.as(String(body['api_key']));
    expect((await loud.submit('db.read')).body['status']).toBe('executed');
    await admin.post(`/api/v1/agents/${String(body['id'])}/suspend`, { reason: 'too loud' });
    await eventually(async () => (await loud.submit('db.read')).body['denial_reason'] === 'AGENT_SUSPENDED');
    expect((await loud.get('/api/v1/whoami')).body).toMatchObject({ is_active: false, cb_state: 'open' });
    await admin.post(`/api/v1/agents/${String(body['id'])}/resume`, {});
    await eventually(async () => (await loud.submit('db.read')).body['status'] === 'executed');
  });

  it('the events of every service are in the log, which verifies', async () => {
    await eventually(async () => {
      const sources = new Set((await readLog(admin)).map(({ source }) => source));
      return ['gateway', 'policy-engine', 'approval-service', 'audit-ledger'].every((source) =>
        sources.has(source as never),
      );
    });
    const { body } = await admin.get('/api/v1/audit/verify?wait=true');
    expect(body).toMatchObject({ chain_valid: true, first_broken_at_row_id: null });
    const found = await admin.get('/api/v1/audit?action_type=db.drop&decision=denied&limit=1');
    expect(found.body).toMatchObject({
      events: [{ decision: 'denied', denial_reason: 'POLICY_DENIED', policy_version: '1' }],
    });
    expect((await agent.get('/api/v1/audit?limit=200')).body['events']).not.toContainEqual(
      expect.objectContaining({
        agent_id: expect.not.stringContaining(stack.credentials.agent.id) as string,
      }),
    );
  });
});
