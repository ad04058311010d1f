import { createLogger } from '@agentlattice/observability';
import {
  eventually,
  silentProxy,
  type SilentProxy,
  startPostgres,
  testPool,
  type TestPostgres,
} from '@agentlattice/testkit';
import type pg from 'pg';
import { RevisionWatch, type RevisionWatchOptions } from './revision-watch.js';

const never = 3_600_000;
const raise = 'UPDATE revision SET value = value + 1';

describe('the watch of a revision', () => {
  let postgres: TestPostgres;
  let proxy: SilentProxy;
  let admin: pg.Pool;
  let pool: pg.Pool;
  const logger = createLogger('test', 'silent');
  const watches: RevisionWatch[] = [];

  beforeAll(async () => {
    postgres = await startPostgres({});
    proxy = await silentProxy(postgres.adminUrl);
    admin = testPool({ connectionString: postgres.adminUrl });
    pool = testPool({ connectionString: proxy.url });
    pool.on('connect', (client) => client.on('error', () => undefined));
    await admin.query('CREATE TABLE public.revision (value bigint); INSERT INTO public.revision VALUES (1)');
  });
  afterEach(async () => {
    await Promise.all(watches.splice(0).map((watch) => watch.stop()));
  });
  afterAll(async () => {
    await pool.end();
    await admin.end();
    await proxy.stop();
    await postgres.stop();
  });

  /** A watch that polls once at most, and the revisions that it took in. */
  async function watching(options: Partial<RevisionWatchOptions> = {}) {
    const seen: string[] = [];
    const watch = new RevisionWatch({
      of: 'things',
      pool,
      channel: 'test_revision',
      onReading: (revision) => void seen.push(revision),
      logger,
      pollMs: never,
      idlePollMs: never,
      ...options,
    });
    watches.push(watch);
    await watch.start();
    return { watch, seen };
  }
  const revision = async () =>
    (await admin.query<{ value: string }>('SELECT value FROM revision')).rows[0]?.value;
  const listeners = async () =>
    (await admin.query(`SELECT FROM pg_stat_activity WHERE query = 'LISTEN test_revision'`)).rows.length;

  it('takes in a change at once when it is notified', async () => {
    const { seen } = await watching();
    await eventually(async () => (await listeners()) === 1 && seen.length >= 2);
    await admin.query(raise);
    await admin.query('NOTIFY test_revision');
    const wanted = await revision();
    await eventually(() => seen.at(-1) === wanted);
  });

  it('takes in a change that was not notified with the next poll', async () => {
    const { seen } = await watching({ pollMs: 20, idlePollMs: 20 });
    await admin.query(raise);
    const wanted = await revision();
    await eventually(() => seen.at(-1) === wanted);
  });

  it('grows stale while nothing is used, and is fresh again after one reading for all callers', async () => {
    const { watch, seen } = await watching({ staleAfterMs: 50 });
    await eventually(() => !watch.isFresh() && seen.length >= 2);
    await admin.query(raise);
    const before = seen.length;
    expect(await Promise.all([watch.becomesFresh(), watch.becomesFresh()])).toEqual([true, true]);
    expect(seen.slice(before)).toEqual([await revision()]);
  });

  it('has caught up only after a reading that began after the call', async () => {
    let release: () => void = () => undefined;
    const gate = { held: Promise.resolve() };
    const seen: string[] = [];
    const { watch } = await watching({
      onReading: async (value) => {
        await gate.held;
        seen.push(value);
      },
    });
    await eventually(() => seen.length >= 2);
    gate.held = new Promise((resolve) => (release = resolve));
    const old = watch.read();
    await admin.query(raise);
    const caughtUp = watch.caughtUp(never);
    gate.held = Promise.resolve();
    release();
    await old;
    expect(await caughtUp).toBe(true);
    expect(seen.at(-1)).toBe(await revision());
  });

  it('is not fresh by a reading whose change could not be taken in', async () => {
    const fails = { on: true };
    const { watch } = await watching({
      onReading: () => {
        if (fails.on) throw new Error('the tables cannot be read');
      },
    });
    expect(watch.isFresh()).toBe(false);
    expect(await watch.becomesFresh()).toBe(false);
    expect(await watch.caughtUp(never)).toBe(false);
    fails.on = false;
    expect(await watch.becomesFresh()).toBe(true);
  });

  it('waits no longer than its limit while the database does not answer, and reads again afterwards', async () => {
    const { watch } = await watching({ staleAfterMs: 50 });
    const blocker = await admin.connect();
    try {
      await blocker.query('BEGIN; LOCK TABLE revision IN ACCESS EXCLUSIVE MODE');
      await eventually(() => !watch.isFresh());
      expect(await watch.becomesFresh(20)).toBe(false);
      expect(await watch.caughtUp(20)).toBe(false);
    } finally {
      await blocker.query('ROLLBACK');
      blocker.release();
    }
    await eventually(() => watch.becomesFresh());
  });

  it('listens again after its connections were lost', async () => {
    const { watch, seen } = await watching();
    await eventually(async () => (await listeners()) === 1);
    proxy.cut();
    await eventually(async () => (await listeners()) === 0);
    await eventually(async () => (await watch.caughtUp(never)) && (await listeners()) === 1);
    await admin.query(raise);
    await admin.query('NOTIFY test_revision');
    const wanted = await revision();
    await eventually(() => seen.at(-1) === wanted);
  });

  it('knows the time by the clock of the database', async () => {
    const { watch } = await watching({
      pool: {
        connect: () => pool.connect(),
        query: (given: { text: string }) =>
          pool.query(given.text.replace('clock_timestamp()', `clock_timestamp() + interval '1 day'`)),
      } as unknown as pg.Pool,
    });
    expect(watch.now() - Date.now()).toBeGreaterThan(23 * 3_600_000);
  });
});
