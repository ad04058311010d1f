import { startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import pg from 'pg';
import { PreparedStatements } from './prepared-statements.js';

describe('prepared statements', () => {
  let postgres: TestPostgres;
  let pool: pg.Pool;
  beforeAll(async () => {
    postgres = await startPostgres({});
    pool = testPool({ connectionString: postgres.adminUrl, max: 1, pipeline: true });
    const statements = new PreparedStatements();
    pool.on('connect', (client) => statements.prepareOn(client));
    await pool.query('CREATE TABLE public.thing (id int)');
    await pool.query('INSERT INTO public.thing VALUES (1)');
  });
  afterAll(async () => {
    await pool.end();
    await postgres.stop();
  });

  const read = 'SELECT id FROM public.thing WHERE id = $1';
  const prepared = async () => (await pool.query('SELECT statement FROM pg_prepared_statements')).rows;

  it('are planned once for each connection', async () => {
    for (let i = 0; i < 3; i++) expect((await pool.query(read, [1])).rows).toEqual([{ id: 1 }]);
    expect(await prepared()).toEqual([{ statement: read }]);
  });

  it('report errors like other statements', async () => {
    await expect(pool.query('SELECT $1::int / 0', [1])).rejects.toThrow('division by zero');
    expect((await pool.query('SELECT $1::int AS n', [7])).rows).toEqual([{ n: 7 }]);
  });

  it('still work after a migration that changes their result', async () => {
    await pool.query(read, [1]);
    await pool.query('ALTER TABLE public.thing ALTER id TYPE text');
    expect((await pool.query('SELECT * FROM public.thing WHERE id = $1', ['1'])).rows).toEqual([{ id: '1' }]);
    await pool.query('ALTER TABLE public.thing ADD more int');
    expect((await pool.query('SELECT * FROM public.thing WHERE id = $1', ['1'])).rows).toEqual([
      { id: '1', more: null },
    ]);
  });

  it('fail one transaction after a migration, and are prepared again', async () => {
    const all = 'SELECT * FROM public.thing WHERE id = $1';
    const client = await pool.connect();
    try {
      await client.query(all, ['1']);
      await client.query('ALTER TABLE public.thing ADD last int');
      await client.query('BEGIN');
      await expect(client.query(all, ['1'])).rejects.toMatchObject({ code: '0A000' });
      await client.query('ROLLBACK');
      await client.query('BEGIN');
      expect((await client.query(all, ['1'])).rows).toEqual([{ id: '1', more: null, last: null }]);
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  });

  it('do not fill the memory of the server with texts that are made at run time', async () => {
    for (let i = 0; i < 300; i++) await pool.query(`SELECT $1::int + ${String(i)}`, [1]);
    expect((await prepared()).length).toBeLessThan(300);
  });
});
