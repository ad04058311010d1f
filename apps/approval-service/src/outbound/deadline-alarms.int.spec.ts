import { eventually, redisOnPath, type Stack, startStack, testPool } from '@agentlattice/testkit';
import { Redis } from 'ioredis';
import { logger, newId } from '../../test/approval-fixture.js';
import { ConfigFault } from '@agentlattice/service';
import { type Alarm, DeadlineAlarms } from './deadline-alarms.js';
import { refuseEvictingRedis } from './redis-eviction.js';

let stack: Stack;
beforeAll(async () => {
  await redisOnPath();
  stack = await startStack({ services: [] });
});
afterAll(() => stack.stop());

it('a Redis that evicts is refused at the start', async () => {
  const url = stack.redisUrl;
  if (url === undefined) return;
  const redis = new Redis(url);
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await expect(refuseEvictingRedis(url, logger)).rejects.toThrow(ConfigFault);
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  await expect(refuseEvictingRedis(url, logger)).resolves.toBeUndefined();
  redis.disconnect();
});

it('a Redis that does not answer is no fault', () =>
  expect(refuseEvictingRedis('redis://127.0.0.1:9', logger)).resolves.toBeUndefined());

describe.each(['PostgreSQL', 'Redis'])('alarms on %s', (where) => {
  const url = () => (where === 'Redis' ? stack.redisUrl : undefined);
  const left = () => where === 'Redis' && url() === undefined;
  const rung: { kind: string; approvalId: string; at: number; traceparent: string | null }[] = [];
  let failures = 0;
  let alarms: DeadlineAlarms | undefined;
  const begin = () => {
    alarms = new DeadlineAlarms({
      databaseUrl: stack.databaseUrl('approval-service'),
      redisUrl: url(),
      logger,
      onDue: ({ kind, approvalId, traceparent }) => {
        if (failures-- > 0) return Promise.reject(new Error('not now'));
        rung.push({ kind, approvalId, at: Date.now(), traceparent });
        return Promise.resolve();
      },
    });
    alarms.start();
  };
  const alarm = (inMs: number, kind: Alarm['kind'] = 'deadline'): Alarm => ({
    kind,
    orgId: newId('org'),
    approvalId: newId('apr'),
    at: new Date(Date.now() + inMs),
    version: 1,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  const rings = ({ approvalId }: Alarm) => rung.filter((ring) => ring.approvalId === approvalId);
  /** Alarms that are set before there is a connection are dropped on purpose. */
  const connected = () =>
    eventually(() => {
      const probe = alarm(0);
      alarms?.set([probe]);
      return eventually(() => rings(probe).length > 0, { within: 500 });
    });
  const jobsSet = async (wanted: Alarm) => {
    const redisUrl = url();
    if (redisUrl !== undefined) {
      const redis = new Redis(redisUrl);
      const found = await redis.exists(`bull:approval-deadlines:${wanted.approvalId}-deadline-1`);
      redis.disconnect();
      return found === 1;
    }
    const pool = testPool({
      connectionString: stack.databaseUrl('approval-service'),
      options: '-c search_path=approval_service_jobs',
    });
    const { rowCount } = await pool.query('SELECT FROM job WHERE id = $1', [
      `${wanted.approvalId}-deadline-1`,
    ]);
    await pool.end();
    return rowCount === 1;
  };

  beforeAll(async () => {
    if (left()) return;
    begin();
    await connected();
  });
  afterAll(() => alarms?.stop());

  it('fire once at their time, with the trace in which they were set', async () => {
    if (left()) return;
    const set = Array.from({ length: 50 }, () => alarm(400));
    alarms?.set(set);
    alarms?.set(set);
    await eventually(() => set.every((one) => rings(one).length > 0));
    for (const one of set) {
      expect(rings(one)).toHaveLength(1);
      expect(rings(one)[0]?.at).toBeGreaterThanOrEqual(one.at.getTime());
      expect(rings(one)[0]?.traceparent).toBe(one.traceparent);
    }
  });

  it('fire for each kind of one request', async () => {
    if (left()) return;
    const one = alarm(0);
    alarms?.set([one, { ...one, kind: 'escalation' }]);
    await eventually(() => rings(one).length === 2);
    expect(
      rings(one)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['deadline', 'escalation']);
  });

  it('fire again when their handler failed', async () => {
    if (left()) return;
    failures = 1;
    const one = alarm(0);
    alarms?.set([one]);
    await eventually(() => rings(one).length === 1);
  });

  it('fire after a restart', async () => {
    if (left()) return;
    const one = alarm(1_000);
    alarms?.set([one]);
    await eventually(() => jobsSet(one));
    await alarms?.stop();
    begin();
    await eventually(() => rings(one).length === 1);
  });
});
