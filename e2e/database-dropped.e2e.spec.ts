import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import pg from 'pg';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';

describe('a PostgreSQL that drops its connections', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  let superuser: pg.Client;
  beforeAll(async () => {
    stack = await startStack({ samplePolicy: false });
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
    await admin.policy({ name: 'asks', action_type: 'ask.me', effect: 'require_approval' });
    await admin.policy({ name: 'lets', action_type: 'let.me', effect: 'allow' });
    await eventually(async () => (await agent.submit('let.me')).status === 200);
    superuser = new pg.Client({ connectionString: stack.adminUrl });
    await superuser.connect();
  });
  afterAll(async () => {
    await superuser.end();
    await stack.stop();
  });

  it('lets every request succeed or be 503, never 500', async () => {
    const { requested } = approvalsOf(admin, agent);
    const pending: string[] = [];
    for (let i = 0; i < 60; i++) pending.push(await requested('ask.me'));
    let n = 0;
    const kinds: readonly (() => Promise<Answer>)[] = [
      () => agent.submit('let.me'),
      () => agent.submit('ask.me'),
      () => agent.submit('let.me', {}, `event-${String(n % 5)}`),
      () => admin.get('/api/v1/whoami'),
      () => admin.get('/api/v1/policies'),
      () =>
        admin.policy({ name: `p ${String(n)}`, action_type: `p.${String(n)}`, effect: 'deny' }).then(
          () => ({ status: 201 }) as Answer,
          (error: unknown) => JSON.parse((error as Error).message) as Answer,
        ),
      () => admin.get('/api/v1/approvals?status=pending'),
      () => admin.get(`/api/v1/approvals/${pending[0] ?? ''}`),
      () => agent.get(`/api/v1/approvals/${pending[1] ?? ''}/status`),
      () => admin.post(`/api/v1/approvals/${pending.pop() ?? ''}/approve`, { reason: 'reviewed' }),
      () => admin.get('/api/v1/audit?limit=10'),
      () => admin.get('/api/v1/audit/entries?from=0&limit=10'),
      () => admin.get('/api/v1/audit/checkpoint'),
      () => admin.get('/api/v1/channels'),
      () => admin.post('/api/v1/agents', { name: `agent ${String(n)}` }),
      () => admin.get('/api/v1/agents'),
      () => admin.get('/.well-known/jwks.json'),
    ];
    const wrong: string[] = [];
    const statuses = new Map<number, number>();
    let asking = true;
    const loops = Array.from({ length: 6 }, async () => {
      while (asking) {
        const kind = kinds[n++ % kinds.length];
        if (kind === undefined) continue;
        const answer = await kind();
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        if (answer.status >= 500 && answer.status !== 503)
          wrong.push(`${kind.toString()}: ${JSON.stringify(answer)}`);
      }
    });
    const answered = () => [...statuses.values()].reduce((sum, count) => sum + count, 0);
    for (let round = 0; round < 60; round++) {
      await superuser.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND random() < 0.5`,
      );
      // At a different moment of the requests each time.
      const next = answered() + 1 + Math.floor(Math.random() * 20);
      await eventually(() => answered() >= next, { within: 30_000, every: 5 });
    }
    asking = false;
    await Promise.all(loops);
    expect(wrong).toEqual([]);
    // Some requests must have succeeded and some must have failed, or the test shows nothing.
    expect(statuses.get(200)).toBeGreaterThan(0);
    expect(statuses.get(503)).toBeGreaterThan(0);
    await eventually(async () => (await agent.submit('let.me')).status === 200, { within: 60_000 });
  });
});
