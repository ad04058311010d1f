import {
  type SilentProxy,
  silentProxy,
  startPostgres,
  testPool,
  type TestPostgres,
} from '@agentlattice/testkit';
import pg from 'pg';
import { connectionLimits } from './connection-limits.js';
import { DatabasePool, DatabaseUnavailable } from './database-client.js';
import { Ending, inTransaction } from './transaction.js';

const soon = { query_timeout: 1_000, idle_in_transaction_session_timeout: 1_000 };

describe.each([{ pipeline: true }, { pipeline: false }])(
  'a connection that goes silent, %o',
  ({ pipeline }) => {
    let postgres: TestPostgres;
    let proxy: SilentProxy;
    let direct: pg.Pool;
    let pool: pg.Pool;
    beforeAll(async () => {
      postgres = await startPostgres({});
      proxy = await silentProxy(postgres.adminUrl);
      direct = testPool({ connectionString: postgres.adminUrl });
      await direct.query('CREATE TABLE public.done (id int)');
      pool = new DatabasePool({
        connectionString: proxy.url,
        max: 1,
        pipeline,
        ...connectionLimits,
        ...soon,
      });
      pool.on('connect', (client) => client.on('error', () => {}));
    });
    afterAll(async () => {
      await pool.end();
      await direct.end();
      await proxy.stop();
      await postgres.stop();
    });

    const insert = (id: number) => ({ text: 'INSERT INTO public.done VALUES ($1)', values: [id] });
    const done = async () =>
      (await direct.query<{ id: number }>('SELECT id FROM public.done ORDER BY id')).rows;
    const write = (id: number, meanwhile: () => void = () => {}) =>
      inTransaction(pool, async (tx) => {
        await tx.query('SELECT 1');
        meanwhile();
        return new Ending([insert(id)], () => id);
      });

    it('never counts as a success, and the next transaction gets another connection', async () => {
      expect(await write(1)).toBe(1);
      const failure = await write(2, () => proxy.swallow()).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(DatabaseUnavailable);
      expect(await write(3)).toBe(3);
      expect(await done()).toEqual([{ id: 1 }, { id: 3 }]);
    });

    it('does not keep its locks for long', async () => {
      const lock = [{ text: 'SELECT pg_advisory_xact_lock(7)', values: [] }];
      await inTransaction(pool, () => Promise.resolve(proxy.swallow()), lock).catch(() => {});
      // PostgreSQL itself releases its locks.
      await inTransaction(direct, () => Promise.resolve(), lock);
    });

    it('differs from a lock that takes too long, which PostgreSQL reports', async () => {
      const client = await direct.connect();
      await client.query('SELECT pg_advisory_lock(8)');
      try {
        const waiting = pool.query({
          text: 'SELECT pg_advisory_lock(8)',
          query_timeout: 60_000,
        } as pg.QueryConfig);
        await expect(waiting).rejects.toMatchObject({ code: '55P03' });
      } finally {
        client.release(true);
      }
      expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });
  },
);
