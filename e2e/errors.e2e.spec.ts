import { connect } from 'node:net';
import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';

type Row = [string, string, string, Parameters<Api['call']>[2], number, string];

describe('errors', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;

  beforeAll(async () => {
    stack = await startStack({ env: { RATE_LIMIT: '400' } });
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
  });
  afterAll(() => stack.stop());

  const isProblem = (answer: Answer, status: number, error: string) => {
    expect(answer).toMatchObject({ status, body: { status, error, message: answer.body['detail'] } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body['request_id']).toBe(answer.headers.get('x-request-id'));
  };

  it.each<Row>([
    ['an unknown route', 'GET', '/nothing', {}, 404, 'ROUTE_NOT_FOUND'],
    ['a route below a known one', 'GET', '/api/v1/actions/1', {}, 404, 'ROUTE_NOT_FOUND'],
    ['a wrong method', 'DELETE', '/api/v1/actions', {}, 405, 'METHOD_NOT_ALLOWED'],
    ['a broken URL', 'GET', '/%E0%A4%A', {}, 400, 'BAD_REQUEST'],
    ['broken JSON', 'POST', '/api/v1/actions', { raw: '{"a":' }, 400, 'INVALID_JSON'],
    ['JSON with a comment', 'POST', '/api/v1/actions', { raw: '{} // x' }, 400, 'INVALID_JSON'],
    ['an array', 'POST', '/api/v1/actions', { raw: '[]' }, 400, 'VALIDATION_FAILED'],
    ['no body', 'POST', '/api/v1/actions', {}, 400, 'VALIDATION_FAILED'],
    [
      'an unknown member',
      'POST',
      '/api/v1/actions',
      { body: { action_type: 'a', extra: 1 } },
      400,
      'VALIDATION_FAILED',
    ],
    [
      'a bad action type',
      'POST',
      '/api/v1/actions',
      { body: { action_type: 'a..b' } },
      400,
      'VALIDATION_FAILED',
    ],
    [
      'text',
      'POST',
      '/api/v1/actions',
      { raw: 'x', headers: { 'content-type': 'text/plain' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a form',
      'POST',
      '/api/v1/actions',
      { raw: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'another charset',
      'POST',
      '/api/v1/actions',
      { raw: '{}', headers: { 'content-type': 'application/json; charset=utf-16' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a compressed body',
      'POST',
      '/api/v1/actions',
      { raw: '{}', headers: { 'content-encoding': 'gzip' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a large body',
      'POST',
      '/api/v1/actions',
      { raw: `"${'x'.repeat(256 * 1024)}"` },
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'a body that is large once written out',
      'POST',
      '/api/v1/actions',
      { raw: `{"action_type":"a","metadata":{"n":[${Array(50_000).fill('1e-6').join()}]}}` },
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'a name twice',
      'POST',
      '/api/v1/actions',
      { raw: '{"action_type":"a","action_type":"b"}' },
      400,
      'INVALID_JSON_VALUE',
    ],
    [
      'a big integer',
      'POST',
      '/api/v1/actions',
      { raw: '{"action_type":"a","metadata":{"n":9007199254740993}}' },
      400,
      'INVALID_JSON_VALUE',
    ],
    [
      'half a surrogate pair',
      'POST',
      '/api/v1/actions',
      { raw: '{"action_type":"a","metadata":{"s":"\\ud800"}}' },
      400,
      'INVALID_JSON_VALUE',
    ],
    [
      'a backslash in a name',
      'POST',
      '/api/v1/actions',
      { raw: '{"action_type":"a","metadata":{"n\\\\":1}}' },
      400,
      'INVALID_JSON_VALUE',
    ],
    [
      'nesting without end',
      'POST',
      '/api/v1/actions',
      { raw: `{"action_type":"a","metadata":{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}}` },
      400,
      'INVALID_JSON_VALUE',
    ],
    ['an unknown key', 'GET', '/api/v1/whoami', { key: 'al_op_unknown' }, 401, 'UNAUTHENTICATED'],
    ['no key', 'GET', '/api/v1/whoami', { key: null }, 401, 'UNAUTHENTICATED'],
    ['a bad limit', 'GET', '/api/v1/audit?limit=201', { key: 'admin' }, 400, 'VALIDATION_FAILED'],
    ...['0x10', '1e2', '%205'].map(
      (limit) =>
        [
          `a limit of ${limit}`,
          'GET',
          `/api/v1/audit?limit=${limit}`,
          { key: 'admin' },
          400,
          'VALIDATION_FAILED',
        ] as Row,
    ),
    ...[
      ['an overview of another range', 'overview?range=7d'],
      ['an overview of no time zone', 'overview?tz=Mars/Olympus'],
      ['an empty search', 'approvals?q='],
      ['a queue that is neither', 'approvals?decidable=yes'],
      ['a preview of another change', 'approvals/apr_none/forever?forever_for=all'],
    ].map(
      ([what, path]) =>
        [what, 'GET', `/api/v1/${String(path)}`, { key: 'admin' }, 400, 'VALIDATION_FAILED'] as Row,
    ),
    [
      'a preview of no request',
      'GET',
      '/api/v1/approvals/apr_none/forever',
      { key: 'admin' },
      404,
      'NOT_FOUND',
    ],
    [
      'a NUL in a query',
      'GET',
      '/api/v1/approvals?agent_id=a%00b',
      { key: 'admin' },
      400,
      'VALIDATION_FAILED',
    ],
    ['a bad cursor', 'GET', '/api/v1/policies?cursor=%FF', { key: 'admin' }, 400, 'VALIDATION_FAILED'],
    [
      'a bad cursor of the log',
      'GET',
      '/api/v1/audit?cursor=%21%21',
      { key: 'admin' },
      400,
      'VALIDATION_FAILED',
    ],
    [
      'a bad cursor of the queue',
      'GET',
      '/api/v1/approvals?cursor=%21%21',
      { key: 'admin' },
      400,
      'VALIDATION_FAILED',
    ],
    [
      'an instant of the year 0',
      'GET',
      '/api/v1/audit?to_time=0000-01-01T00:00:00Z',
      { key: 'admin' },
      400,
      'VALIDATION_FAILED',
    ],
    [
      'an instant after the year 9999',
      'POST',
      '/api/v1/keys',
      {
        key: 'admin',
        body: {
          name: 'x',
          kind: 'service',
          scopes: ['policies:read'],
          expires_at: '9999-12-31T23:59:59-15:59',
        },
      },
      400,
      'VALIDATION_FAILED',
    ],
    ['an id of another kind', 'GET', '/api/v1/approvals/pol_1', { key: 'admin' }, 404, 'NOT_FOUND'],
    ['a policy that is none', 'GET', '/api/v1/policies/..%2f..', { key: 'admin' }, 404, 'NOT_FOUND'],
  ])('%s is a problem with the right code', async (_what, method, path, call, status, error) => {
    const key = call?.key === 'admin' ? stack.credentials.admin.api_key : call?.key;
    isProblem(
      await agent.call(method, path, { ...call, ...(key === undefined ? {} : { key }) }),
      status,
      error,
    );
  });

  it.each(['agents', 'members', 'keys'])(
    'the list of %s goes on where its cursor says, and by no other',
    async (list) => {
      if (list === 'members')
        await admin.post('/api/v1/members', {
          ...{ email: 'page@example.com', name: 'Page', role: 'viewer', password: 'a long password' },
        });
      if (list === 'agents') await admin.post('/api/agents/register', { name: 'page' });
      const idsOf = ({ body }: Answer) => (body[list] as { id: string }[]).map(({ id }) => id);
      const all = idsOf(await admin.get(`/api/v1/${list}`));
      const first = await admin.get(`/api/v1/${list}?limit=1`);
      const cursor = encodeURIComponent(String(first.body['next_cursor']));
      expect(all.length).toBeGreaterThan(1);
      expect([...idsOf(first), ...idsOf(await admin.get(`/api/v1/${list}?cursor=${cursor}`))]).toEqual(all);
      const foreign = Buffer.from(`pol_${'0'.repeat(26)}`).toString('base64url');
      for (const wrong of ['nonsense', '%21%21', all[0] ?? '', foreign])
        isProblem(await admin.get(`/api/v1/${list}?cursor=${wrong}`), 400, 'VALIDATION_FAILED');
    },
  );

  it('invalid UTF-8 is not JSON', async () => {
    const body = Buffer.concat([
      Buffer.from('{"action_type":"a","metadata":{"x":"'),
      Buffer.from([0xff]),
      Buffer.from('"}}'),
    ]);
    const response = await fetch(`${stack.baseUrl}/api/v1/actions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${stack.credentials.agent.api_key}`,
        'content-type': 'application/json',
      },
      body,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'INVALID_JSON' });
  });

  it('an instant may have any offset', async () => {
    for (const time of ['2026-01-01T00:00:00%2B16:00', '2026-01-01T00:00:00-23:59'])
      expect((await admin.get(`/api/v1/audit?from_time=${time}`)).status).toBe(200);
  });

  it('405 names the methods of the path', async () => {
    expect((await admin.call('PUT', '/api/v1/approvals/x')).headers.get('allow')).toBe('GET, HEAD');
  });

  it('every fault of a policy is named with its pointer', async () => {
    const answer = await admin.post('/api/v1/policies', {
      name: 'faulty',
      action_type: 'deploy.*.x',
      effect: 'conditional',
      conditions: [
        { field: 'a', operator: 'matches', value: '(' },
        { field: 'b', operator: 'is' },
      ],
      timeout: '0s',
      quorum: 2,
    });
    isProblem(answer, 400, 'VALIDATION_FAILED');
    const pointers = (answer.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
    expect(pointers).toEqual(
      expect.arrayContaining(['/action_type', '/conditions/1/operator', '/timeout', '/quorum']),
    );
    const semantic = await admin.post('/api/v1/policies', {
      name: 'faulty',
      action_type: 'deploy.*',
      effect: 'conditional',
      conditions: [
        { field: 'a', operator: 'matches', value: '(' },
        { field: 'b', operator: 'lt', value: true },
      ],
      condition_expression: 'metadata.x +',
    });
    isProblem(semantic, 400, 'VALIDATION_FAILED');
    expect((semantic.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining(['/conditions/0/value', '/conditions/1/value', '/condition_expression']),
    );
  });

  it('input that is not HTTP is answered as a problem, and the connection is closed', async () => {
    const { port, hostname } = new URL(stack.baseUrl);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write('NONSENSE\r\n\r\n'));
      let text = '';
      socket.on('data', (data) => (text += data.toString()));
      socket.once('end', () => resolve(text));
      socket.once('error', reject);
    });
    expect(answer).toContain('HTTP/1.1 400');
    expect(answer).toContain('"error":"BAD_REQUEST"');
  });

  it('a valid request id of the client is returned; a hostile one is replaced', async () => {
    const sent = await agent.call('GET', '/healthz', { headers: { 'x-request-id': 'ci-42' } });
    expect(sent.headers.get('x-request-id')).toBe('ci-42');
    const hostile = await agent.call('GET', '/healthz', { headers: { 'x-request-id': '<script>' } });
    expect(hostile.headers.get('x-request-id')).toMatch(/^req_/);
  });

  it('429 contains the time of the next request; reads of the status are not counted', async () => {
    const { body } = await admin.post('/api/agents/register', { name: 'eager' });
    const eager = admin.as(String(body['api_key']));
    const requested = await eager.submit('deploy.production');
    const answers: Answer[] = [];
    for (let i = 0; i < 410; i += 41)
      answers.push(...(await Promise.all(Array.from({ length: 41 }, () => eager.get('/api/v1/whoami')))));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBe(11);
    const [first] = refused;
    if (first === undefined) throw new Error('no request was refused');
    isProblem(first, 429, 'RATE_LIMITED');
    expect(Number(first.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(first.headers.get('ratelimit')).toMatch(/^"key";r=0;t=\d+$/);
    // Requests that are refused before their body is read count as well.
    isProblem(await eager.call('POST', '/api/v1/actions', { raw: '{' }), 429, 'RATE_LIMITED');
    const status = await eager.get(`/api/approvals/${String(requested.body['approval_id'])}/status`);
    expect(status.status).toBe(200);
  });

  it.each(['policy-engine', 'audit-ledger', 'postgres', 'nats'])(
    'without %s a submission is 503 in time and never an allow; afterwards it is well again',
    async (name) => {
      await admin.policy({ name: `allow ${name}`, action_type: `allow.${name}`, effect: 'allow' });
      await eventually(async () => (await agent.submit(`allow.${name}`)).body['status'] === 'executed', {
        within: 30_000,
      });
      await stack.halt(name);
      try {
        const began = performance.now();
        const answer = await agent.submit(`allow.${name}`);
        isProblem(answer, 503, String(answer.body['error']));
        expect(answer.headers.get('retry-after')).not.toBeNull();
        // Ten times the promised two seconds: a limit for slow machines.
        expect(performance.now() - began).toBeLessThan(20_000);
        const ready = await agent.get('/readyz');
        expect(ready).toMatchObject({ status: 503, body: { ready: false } });
        expect(ready.body['missing']).toContain(name);
        expect((await agent.get('/healthz')).status).toBe(200);
      } finally {
        await stack.resume(name);
      }
      await eventually(async () => (await agent.submit(`allow.${name}`)).body['status'] === 'executed', {
        within: 60_000,
      });
      await eventually(async () => (await agent.get('/readyz')).status === 200, { within: 60_000 });
    },
  );

  it('without the approval-service an allow is given, a request is 503, and its retry is the same request', async () => {
    await admin.policy({ name: 'plain allow', action_type: 'plain.allow', effect: 'allow' });
    await eventually(async () => (await agent.submit('plain.allow')).body['status'] === 'executed');
    await stack.halt('approval-service');
    let answer: Answer;
    try {
      expect((await agent.submit('plain.allow')).body['status']).toBe('executed');
      answer = await agent.submit('deploy.production', {}, 'healed');
      isProblem(answer, 503, 'UNAVAILABLE');
    } finally {
      await stack.resume('approval-service');
    }
    const retried = await eventually(async () => {
      const again = await agent.submit('deploy.production', {}, 'healed');
      return again.status === 202 ? again : undefined;
    });
    const listed = await admin.get('/api/v1/approvals?action_type=deploy.production&limit=200');
    const ids = (listed.body['approvals'] as { id: string }[]).map(({ id }) => id);
    expect(ids.filter((id) => id === retried.body['approval_id'])).toHaveLength(1);
  });
});
