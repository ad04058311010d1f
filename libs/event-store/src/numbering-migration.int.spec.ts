import { startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { eventStoreMigration, numberingInCommitMigration } from './index.js';

/** The state after a release that numbered after the commit: `a1` and `b1` have their numbers, the others do not. */
class LeftWithoutNumber1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `INSERT INTO event (org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at)
       SELECT org, org || n, 1, org || n, 'ledger.created', 1, '{}', '{}', now()
         FROM (VALUES (1, 'a', 1), (2, 'b', 1), (3, 'b', 2), (4, 'a', 2), (5, 'c', 1), (6, 'a', 3)) AS v (i, org, n)
        ORDER BY i`,
    );
    await runner.query(`INSERT INTO event_position VALUES ('a1', 'a', 1, 1), ('b1', 'b', 2, 1)`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('not needed'));
  }
}

describe('the migration to numbering in the commit', () => {
  let postgres: TestPostgres;
  let pool: pg.Pool;

  beforeAll(async () => {
    postgres = await startPostgres({
      migrations: {
        'audit-ledger': [
          eventStoreMigration('audit-ledger', 1_700_000_000_000),
          LeftWithoutNumber1700000000001,
          numberingInCommitMigration(1_700_000_000_002),
        ],
      },
    });
    pool = testPool({ connectionString: postgres.databaseUrl('audit-ledger') });
  });
  afterAll(async () => {
    await pool.end();
    await postgres.stop();
  });

  it('numbers the events that earlier releases left without a number, in the order of their insertion', async () => {
    const { rows } = await pool.query<{ event_id: string; gpos: string; source_seq: string }>(
      'SELECT event_id, gpos, source_seq FROM event_position ORDER BY gpos',
    );
    expect(
      rows.map(({ event_id, gpos, source_seq }) => [event_id, Number(gpos), Number(source_seq)]),
    ).toEqual([
      ['a1', 1, 1],
      ['b1', 2, 1],
      ['b2', 3, 2],
      ['a2', 4, 2],
      ['c1', 5, 1],
      ['a3', 6, 3],
    ]);
  });
});
