import { startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import pg from 'pg';
import { migrations } from '../migrations/index.js';
import { followOutcomesFromStatement } from './outcomes-position.js';

let postgres: TestPostgres;
let pool: pg.Pool;
beforeAll(async () => {
  postgres = await startPostgres({ migrations: { notifier: migrations } });
  pool = testPool({ connectionString: postgres.databaseUrl('notifier') });
});
afterAll(async () => {
  await pool.end();
  await postgres.stop();
});

const from = async (head: number) => {
  const { text, values } = followOutcomesFromStatement(head);
  await pool.query(text, [...values]);
  const { rows } = await pool.query<{ checked_gpos: string }>('SELECT checked_gpos FROM consumer_position');
  return rows.map(({ checked_gpos }) => Number(checked_gpos));
};

it('the position in the outcomes is set by the first channel that asks, kept while any asks, and set again after that', async () => {
  expect(await from(10)).toEqual([10]);
  await pool.query(
    `INSERT INTO channel (org_id, channel_id, type, name, events, enabled, settings, created_at, updated_at)
     VALUES ('org_1', 'chn_1', 'webhook', 'hook', '{action.denied}', true, '{}', now(), now())`,
  );
  expect(await from(20)).toEqual([10]);
  await pool.query('UPDATE channel SET enabled = false');
  expect(await from(20)).toEqual([20]);
  // An older reading of the ledger's position.
  expect(await from(15)).toEqual([20]);
});
