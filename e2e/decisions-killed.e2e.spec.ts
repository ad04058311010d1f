import { randomUUID } from 'node:crypto';
import { eventually, type Stack, startStack, testPool } from '@agentlattice/testkit';
import pg from 'pg';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';

describe('an approval service that is killed while people decide', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  let pool: pg.Pool;
  beforeAll(async () => {
    stack = await startStack({ samplePolicy: false });
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
    await admin.policy({ name: 'asks', action_type: 'ask.me', effect: 'require_approval' });
    pool = testPool({ connectionString: stack.databaseUrl('approval-service') });
  });
  afterAll(async () => {
    await pool.end();
    await stack.stop();
  });

  /** Repeats a call while a part of the system is away; any other error fails the test. */
  async function insisting(ask: () => Promise<Answer>, good: readonly number[]): Promise<Answer> {
    let answer: Answer | undefined;
    await eventually(
      async () => {
        const answered = await ask();
        if (good.includes(answered.status)) answer = answered;
        else if (answered.status !== 503) throw new Error(answered.text);
        return answer !== undefined;
      },
      { within: 60_000, every: 50 },
    );
    if (answer === undefined) throw new Error('there is no answer');
    return answer;
  }

  it('loses no answered decision, ends no request twice, and every waiting agent goes on', async () => {
    const kills = 5;
    let running = true;
    const asked: string[] = [];
    const decided: string[] = [];
    const heard: string[] = [];
    const loop = async () => {
      while (running) {
        const eventId = randomUUID();
        const submitted = await insisting(() => agent.submit('ask.me', { service: 'api' }, eventId), [202]);
        const id = String(submitted.body['approval_id']);
        asked.push(id);
        const waiting = insisting(
          () => agent.call('GET', `/api/v1/approvals/${id}/status`, { headers: { prefer: 'wait=60' } }),
          [200],
        );
        const approved = await insisting(
          () => admin.post(`/api/v1/approvals/${id}/approve`, { reason: 'fine' }),
          [200, 409],
        );
        // 409 means that the first attempt counted, although its answer was lost.
        expect(approved.body).toMatchObject(
          approved.status === 200
            ? { status: 'approved', reason: 'fine' }
            : { error: 'APPROVAL_ALREADY_DECIDED', decision: { status: 'approved' } },
        );
        decided.push(id);
        expect((await waiting).body).toMatchObject({
          status: 'approved',
          reason: 'fine',
          grant: expect.any(String) as unknown,
        });
        heard.push(id);
      }
    };
    const loops = Promise.all(Array.from({ length: 32 }, loop));
    for (let kill = 0; kill < kills; kill++) {
      const before = heard.length;
      await eventually(() => heard.length >= before + 32, { within: 60_000, every: 20 });
      stack.kill('approval-service');
      await stack.ready('approval-service');
    }
    running = false;
    await loops;

    expect(heard.length).toBeGreaterThanOrEqual(kills * 32);
    const { rows } = await pool.query<{ id: string; status: string; types: string[] }>(
      `SELECT a.approval_id AS id, a.status, array_agg(e.type ORDER BY e.version) AS types
         FROM approval a JOIN event e ON e.org_id = a.org_id AND e.stream_id = a.approval_id
        WHERE a.approval_id = ANY ($1) GROUP BY a.approval_id, a.status`,
      [asked],
    );
    expect(rows.map(({ id }) => id).sort()).toEqual([...new Set(asked)].sort());
    for (const row of rows)
      expect(row).toMatchObject({ status: 'approved', types: ['approval.opened', 'approval.approved'] });
    expect(decided.sort()).toEqual(asked.sort());
    expect(heard.sort()).toEqual(asked);
  });
});
