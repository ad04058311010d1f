import { serviceNames } from '@agentlattice/contracts';
import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import pg from 'pg';
import { adminOf, agentOf, type Api, type Answer } from './kit/api.js';

const kilobyte = 1024;
/** Just below the limit of a body. */
const largest = 250 * kilobyte;

/** One after the other in so many lanes: all at once would only measure how many sockets there may be. */
async function inLanes<T>(lanes: number, count: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < count) results.push(await work(next++));
    }),
  );
  return results;
}

const statuses = (answers: readonly Answer[]) => [...new Set(answers.map(({ status }) => status))].sort();

describe('the largest bodies, in numbers', () => {
  let stack: Stack;
  let agent: Api;
  let pids: (number | undefined)[];
  const running = () => serviceNames.map((name) => stack.pid(name));

  beforeAll(async () => {
    stack = await startStack({ samplePolicy: false });
    await stack.startServices();
    agent = agentOf(stack);
    const admin = adminOf(stack);
    await admin.policy({ name: 'reads', action_type: 'db.read', effect: 'allow' });
    await admin.policy({ name: 'deploys', action_type: 'deploy.*', effect: 'require_approval' });
    pids = running();
  });
  afterEach(() => {
    // A service that ran out of memory was started again, with another number.
    expect(running()).toEqual(pids);
  });
  afterAll(() => stack.stop());

  const answersAgain = () =>
    eventually(
      async () => {
        const answer = await agent.submit('db.read', { note: 'x'.repeat(largest) });
        return answer.status === 200;
      },
      { within: 60_000 },
    );

  it('are refused with 503, and no process ends, while the database does not answer', async () => {
    const database = new pg.Client({ connectionString: stack.adminUrl });
    await database.connect();
    // The log's commits, and those of requests for approval, wait for as long as this transaction is open.
    await database.query(
      'BEGIN; LOCK TABLE audit_ledger.writer, audit_ledger.entry, approval_service.event IN ACCESS EXCLUSIVE MODE',
    );
    let answers: Answer[];
    try {
      answers = await inLanes(64, 400, (i) =>
        agent.submit(i % 2 === 0 ? 'db.read' : 'deploy.now', { note: 'x'.repeat(largest) }),
      );
    } finally {
      await database.query('ROLLBACK');
      await database.end();
    }
    expect(statuses(answers)).toEqual([503]);
    await answersAgain();
  });

  it('are refused with 503, and no process ends, while answers to many of them are held', async () => {
    // As text it is as large as any other body; parsed it takes forty times as much.
    const metadata = { values: Array.from({ length: largest / 3 - 100 }, () => ({})) };
    const body = { action_type: 'deploy.now', metadata };
    const answers = await inLanes(150, 150, () => agent.post('/api/v1/actions', body, { prefer: 'wait=5' }));
    // Requests with room are held until their time is over; the others get 503 and may try again.
    expect(answers.filter(({ status }) => status !== 202 && status !== 503)).toEqual([]);
    await answersAgain();
  });
});
