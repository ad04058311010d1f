import { createLogger } from '@agentlattice/observability';
import {
  eventually,
  type SilentProxy,
  silentProxy,
  startPostgres,
  type TestPostgres,
} from '@agentlattice/testkit';
import { newId } from '../../test/approval-fixture.js';
import { type Alarm, DeadlineAlarms } from './deadline-alarms.js';

describe('alarms while PostgreSQL fails again and again', () => {
  let postgres: TestPostgres;
  let proxy: SilentProxy;
  let alarms: DeadlineAlarms;
  const rung = new Set<string>();
  let logged = 0;
  const log = () => (logged += 1);
  const logger = Object.assign(createLogger('test', 'silent'), { warn: log, debug: log });

  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());
  beforeEach(async () => {
    logged = 0;
    proxy = await silentProxy(postgres.databaseUrl('approval-service'));
    alarms = new DeadlineAlarms({
      databaseUrl: proxy.url,
      redisUrl: undefined,
      logger,
      onDue: ({ approvalId }) => Promise.resolve(rung.add(approvalId)),
    });
    alarms.start();
  });
  afterEach(async () => {
    await alarms.stop();
    await proxy.stop();
  });

  const rings = () =>
    eventually(
      () => {
        const alarm: Alarm = {
          kind: 'deadline',
          orgId: newId('org'),
          approvalId: newId('apr'),
          at: new Date(),
          version: 1,
          traceparent: null,
        };
        alarms.set([alarm]);
        return eventually(() => rung.has(alarm.approvalId), { within: 1_000 });
      },
      { within: 60_000 },
    );

  it.each([1, 2, 3, 4, 5])('fire even if it is killed at their connection number %i', async (number) => {
    await eventually(() => proxy.made() >= number, { every: 1 });
    postgres.kill();
    await rings();
    expect(logged).toBeLessThan(100);
  });

  it('fire again after each of many restarts', async () => {
    for (let restart = 0; restart < 3; restart++) {
      await rings();
      postgres.kill();
    }
    await rings();
    expect(logged).toBeLessThan(300);
  });

  it('fire again after their connections were dropped without notice', async () => {
    await rings();
    proxy.swallow();
    await rings();
  });
});
