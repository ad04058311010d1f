import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import { request } from 'node:http';
import { adminOf, agentOf, type Api } from './kit/api.js';

describe('the share of a gateway of one workspace, or of callers without a key', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  let neighbour: Api;

  beforeAll(async () => {
    stack = await startStack({ samplePolicy: false });
    await stack.startServices();
    [admin, agent] = [adminOf(stack), agentOf(stack)];
    const { body } = await admin.post('/api/v1/workspaces', {
      name: 'neighbour',
      admin: { email: 'n@example.com', name: 'n', password: 'a long password of a neighbour' },
    });
    const other = admin.as(String((body['admin'] as Record<string, unknown>)['api_key']));
    const registered = await admin
      .as(String(body['service_key']))
      .post('/api/agents/register', { name: 'n' });
    neighbour = admin.as(String(registered.body['api_key']));
    for (const workspace of [admin, other])
      await workspace.policy({ name: 'all', action_type: '*', effect: 'allow' });
    await eventually(async () => (await neighbour.submit('a.b')).body['status'] === 'executed');
  });
  afterAll(() => stack.stop());

  /** Sends the head of a request and never its body. */
  const headOf = (path: string, headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const sent = request(stack.baseUrl + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': '200000', ...headers },
      });
      sent.once('response', ({ statusCode }) => {
        resolve(statusCode);
        sent.destroy();
      });
      sent.once('error', reject);
      sent.flushHeaders();
    });

  it('a body is not read with an invalid key, or for a path that does not exist', async () => {
    expect(await headOf('/api/v1/actions', { authorization: 'Bearer al_agent_nobody' })).toBe(401);
    expect(await headOf('/api/v1/actions', {})).toBe(401);
    expect(await headOf('/api/v1/nothing', {})).toBe(404);
    expect(await headOf('/api/v1/whoami', {})).toBe(405);
  });

  it('a key is accepted as soon as it is made, also when it was refused before', async () => {
    const { body } = await admin.post('/api/agents/register', { name: 'late' });
    const late = admin.as(String(body['api_key']));
    expect((await late.submit('a.b')).status).toBe(200);
    expect((await admin.as('al_agent_nobody').get('/api/v1/whoami')).status).toBe(401);
  });

  it('too many large bodies of a workspace affect that workspace alone', async () => {
    const large = { action_type: 'a.b', metadata: { text: 'x'.repeat(200_000) } };
    // A workspace may begin about 21 of these at once and 21 a second, and 32 may wait: so many that a slow sender overfills it too.
    // Dry runs, so that the processors of the machine are left to the neighbour.
    const flood = Array.from({ length: 140 }, () => agent.post('/api/v1/policies/check', large));
    const others = await Promise.all(
      Array.from({ length: 3 }, () =>
        neighbour.post('/api/v1/actions', { action_type: 'a.b', metadata: { text: 'x'.repeat(20_000) } }),
      ),
    );
    expect(others.map(({ status }) => status)).toEqual([200, 200, 200]);
    const answers = await Promise.all(flood);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
    const refused = answers.find(({ status }) => status === 503);
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect((await agent.post('/api/v1/actions', large)).status).toBe(200);
  });

  /** Begins a body and goes on with a space now and then, until the test ends it. */
  const slowly = (key: string, path: string) => {
    const sent = request(stack.baseUrl + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': '200000',
        authorization: `Bearer ${key}`,
      },
    });
    sent.on('error', () => undefined);
    sent.write('{');
    const going = setInterval(() => sent.write(' '), 100);
    return () => {
      clearInterval(going);
      sent.destroy();
    };
  };

  it('a slow or refused sender does not delay its workspace', async () => {
    const { admin: operator, agent: sender } = stack.credentials;
    const ends = [
      slowly(sender.api_key, '/api/v1/actions'),
      slowly(operator.api_key, '/api/v1/policies'),
      slowly(operator.api_key, '/api/v1/actions'),
    ];
    const body = { action_type: 'a.b', metadata: { text: 'x'.repeat(100_000) } };
    for (let i = 0; i < 5; i++) expect((await agent.post('/api/v1/actions', body)).status).toBe(200);
    for (const end of ends) end();
  });

  it('a body without an announced length counts by its real length', async () => {
    const chunked = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = request(`${stack.baseUrl}/api/v1/actions`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'transfer-encoding': 'chunked',
            authorization: `Bearer ${stack.credentials.agent.api_key}`,
          },
        });
        sent.once('response', (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        sent.once('error', reject);
        sent.end('{"action_type":"a.b"}');
      });
    const statuses = await Promise.all(Array.from({ length: 100 }, chunked));
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('the description of the API is sent once to a client that caches it, and at a limited rate to all', async () => {
    const path = '/api/v1/openapi.json';
    const { status, headers } = await eventually(async () => {
      const answer = await admin.get(path);
      return answer.status === 200 && answer;
    });
    expect({ status, encoding: headers.get('content-encoding') }).toEqual({ status: 200, encoding: 'gzip' });
    const etag = String(headers.get('etag'));
    const known = await Promise.all(
      Array.from({ length: 60 }, () => admin.call('GET', path, { headers: { 'if-none-match': etag } })),
    );
    expect(new Set(known.map((answer) => answer.status))).toEqual(new Set([304]));
    const many = await Promise.all(Array.from({ length: 100 }, () => admin.get(path)));
    expect(new Set(many.map((answer) => answer.status))).toEqual(new Set([200, 429]));
    expect(many.filter((answer) => answer.status === 429)[0]?.body['error']).toBe('RATE_LIMITED');
  });
});
