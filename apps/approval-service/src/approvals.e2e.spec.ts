import type { OpenItem } from '@agentlattice/contracts';
import { eventually, type Stack, startStack, testPool } from '@agentlattice/testkit';
import pg from 'pg';
import { neighbours, type Neighbours, newId, requested } from '../test/approval-fixture.js';

describe('an approval-service that is killed again and again', () => {
  let stack: Stack;
  let n: Neighbours;
  let pool: pg.Pool;
  beforeAll(async () => {
    stack = await startStack({ services: ['approval-service'] });
    n = await neighbours(stack.natsUrl);
    await stack.startServices();
    pool = testPool({ connectionString: stack.databaseUrl('approval-service') });
  });
  afterAll(async () => {
    await pool.end();
    await n.close();
    await stack.stop();
  });

  it('loses no answered request and does nothing twice', async () => {
    const org = newId('org');
    const items: OpenItem[] = [];
    const submit = (item: OpenItem) => {
      items.push(item);
      return n.openUntilAnswered(item);
    };
    const killed = [
      'approval-service',
      'postgres',
      'approval-service',
      'nats',
      'approval-service',
      'approval-service',
    ];
    for (const name of killed) {
      const round = Array.from({ length: 25 }, (_, i) =>
        submit(requested(org, i % 2 === 0 ? 1_500 : 36_000_000)),
      );
      await eventually(() => n.answers.size > items.length - 20, { within: 60_000 });
      stack.kill(name);
      await stack.ready(name);
      await Promise.all(round);
    }
    await stack.ready('approval-service');
    const short = items.filter((item) => item.terms.timeout_ms === 1_500);
    const count = async (sql: string) => (await pool.query<{ type: string; n: number }>(sql, [org])).rows;
    await eventually(
      async () => {
        const [row] = await count(
          `SELECT type, count(*)::int AS n FROM event WHERE org_id = $1 AND type = 'approval.timed_out' GROUP BY type`,
        );
        return row?.n === short.length;
      },
      { within: 60_000 },
    );
    const perStream = await count(
      'SELECT stream_id || type AS type, count(*)::int AS n FROM event WHERE org_id = $1 GROUP BY stream_id, type HAVING count(*) > 1',
    );
    expect(perStream).toEqual([]);
    const early = await count(
      `SELECT type, 1 AS n FROM event JOIN approval ON approval_id = stream_id
        WHERE event.org_id = $1 AND type = 'approval.timed_out' AND occurred_at < deadline_at`,
    );
    expect(early).toEqual([]);
    const statuses = await count(
      'SELECT status AS type, count(*)::int AS n FROM approval WHERE org_id = $1 GROUP BY status ORDER BY status',
    );
    expect(statuses).toEqual([
      { type: 'pending', n: items.length - short.length },
      { type: 'timed_out', n: short.length },
    ]);
    // Every event is numbered.
    await eventually(
      async () =>
        (
          await count(
            'SELECT min(type) AS type, count(*)::int AS n FROM event JOIN event_position USING (event_id) WHERE event.org_id = $1',
          )
        )[0]?.n ===
        items.length + short.length,
      { within: 30_000 },
    );
  });
});
