import { isBackendAway } from '@agentlattice/messaging';
import {
  eventually,
  type SilentProxy,
  silentProxy,
  startPostgres,
  testPool,
  type TestPostgres,
} from '@agentlattice/testkit';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { connectionLimits } from './connection-limits.js';
import { DatabaseClient, DatabasePool, DatabaseUnavailable } from './database-client.js';
import { Ending, inTransaction } from './transaction.js';

describe.each([{ pipeline: true }, { pipeline: false }])(
  'a pool whose server goes away, %o',
  ({ pipeline }) => {
    let postgres: TestPostgres;
    let proxy: SilentProxy;
    let direct: pg.Pool;
    let pool: DatabasePool;
    beforeAll(async () => {
      postgres = await startPostgres({});
      proxy = await silentProxy(postgres.adminUrl);
      direct = testPool({ connectionString: postgres.adminUrl });
      pool = new DatabasePool({
        connectionString: proxy.url,
        application_name: 'cut',
        max: 4,
        connectionTimeoutMillis: 500,
        pipeline,
        ...connectionLimits,
      });
      pool.on('connect', (client) => client.on('error', () => {}));
    });
    afterAll(async () => {
      await pool.end();
      await direct.end();
      await proxy.stop();
      await postgres.stop();
    });

    /** Every way in which the services query; each takes a moment, so that connections are cut in between. */
    const ways: readonly (() => Promise<unknown>)[] = [
      () => pool.query('SELECT pg_sleep(0.003)'),
      () => pool.query('SELECT pg_sleep($1)', [0.002]),
      () => pool.query({ text: 'SELECT 1', query_timeout: 60_000 } as pg.QueryConfig),
      () => inTransaction(pool, (tx) => tx.query('SELECT pg_sleep(0.002)')),
      () =>
        inTransaction(
          pool,
          async (tx) => {
            await tx.query('SELECT 1');
            return new Ending([{ text: 'SELECT pg_sleep(0.001)', values: [] }], () => 1);
          },
          [{ text: 'SELECT 2', values: [] }],
        ),
      async () => {
        const client = await pool.connect();
        try {
          await client.query('SELECT pg_sleep(0.001)');
          await client.query('SELECT 1');
        } finally {
          client.release();
        }
      },
    ];
    /** Queries in all ways at once while `drop` runs repeatedly. */
    const faultsWhile = async (drop: () => unknown, times: number) => {
      const faults: unknown[] = [];
      let dropping = true;
      const asking = Array.from({ length: 8 }, async (_, i) => {
        for (let turn = i; dropping; turn++)
          await ways[turn % ways.length]?.().catch((error: unknown) => faults.push(error));
      });
      for (let i = 0; i < times; i++) {
        await drop();
        await sleep(Math.random() * 25);
      }
      dropping = false;
      await Promise.all(asking);
      return faults;
    };
    const wrong = (faults: readonly unknown[]) => faults.filter((fault) => !isBackendAway(fault));

    it('only fails with an error of an unavailable server, wherever connections are cut', async () => {
      const faults = await faultsWhile(() => proxy.cut(), 60);
      expect(faults.length).toBeGreaterThan(10);
      expect(wrong(faults)).toEqual([]);
    });

    it('only fails with such an error where PostgreSQL ends its sessions', async () => {
      const faults = await faultsWhile(
        () =>
          direct.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut'`,
          ),
        60,
      );
      expect(faults.length).toBeGreaterThan(10);
      expect(wrong(faults)).toEqual([]);
    });

    it('only fails with such an error where PostgreSQL is killed and starts again', async () => {
      const startedAt = async () =>
        (await direct.query<{ at: Date }>('SELECT pg_postmaster_start_time() AS at')).rows[0]?.at.getTime();
      const faults = await faultsWhile(async () => {
        const before = await startedAt();
        postgres.kill();
        // Sessions of the killed server answer for a moment.
        await eventually(async () => (await startedAt()) !== before, { within: 30_000 });
        await eventually(async () => (await pool.query('SELECT 1')).rowCount === 1, { within: 30_000 });
      }, 2);
      expect(faults.length).toBeGreaterThan(0);
      expect(wrong(faults)).toEqual([]);
    }, 90_000);

    it('only fails with such an error where no connection is free in time', async () => {
      const held = await Promise.all([1, 2, 3, 4].map(() => pool.connect()));
      await expect(pool.query('SELECT 1')).rejects.toBeInstanceOf(DatabaseUnavailable);
      await expect(inTransaction(pool, (tx) => tx.query('SELECT 1'))).rejects.toBeInstanceOf(
        DatabaseUnavailable,
      );
      for (const client of held) client.release();
    });

    it('leaves errors of the statement itself as they are', async () => {
      await expect(pool.query('SELECT no_such_column')).rejects.toBeInstanceOf(pg.DatabaseError);
      const circle: Record<string, unknown> = {};
      circle['circle'] = circle;
      await expect(pool.query('SELECT $1::jsonb', [circle])).rejects.toBeInstanceOf(TypeError);
    });

    it('recognizes a client that was ended, and an address without a server', async () => {
      const client = new DatabaseClient({ connectionString: postgres.adminUrl });
      await client.connect();
      await client.end();
      await expect(client.query('SELECT 1')).rejects.toBeInstanceOf(DatabaseUnavailable);
      const nobody = new DatabaseClient({ connectionString: 'postgresql://a:b@127.0.0.1:1/x' });
      await expect(nobody.connect()).rejects.toBeInstanceOf(DatabaseUnavailable);
    });
  },
);
