import { runMigrations } from '@agentlattice/launcher';
import { createLogger } from '@agentlattice/observability';
import { eventually, startPostgres, type TestPostgres } from '@agentlattice/testkit';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { awaitSchema, type MigrationName } from './await-schema.js';

class First1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE first (id int)');
  }
  down = () => Promise.reject(new Error('not needed'));
}
class Second1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE second (id int)');
  }
  down = () => Promise.reject(new Error('not needed'));
}

describe('a service that starts', () => {
  let postgres: TestPostgres;
  beforeAll(async () => (postgres = await startPostgres()));
  afterAll(() => postgres.stop());

  it('waits for the migrations of its release, as its own role, and for no others', async () => {
    const said: unknown[] = [];
    const logger = Object.assign(createLogger('test', 'silent'), {
      warn: ({ missing }: { missing: unknown }) => void said.push(missing),
    });
    const states: string[] = [];
    const start = (name: string, migrations: readonly MigrationName[]) =>
      awaitSchema({ databaseUrl: postgres.databaseUrl('notifier'), migrations, logger, everyMs: 50 }).then(
        () => void states.push(name),
      );
    const earlier = start('earlier release', [First1700000000001]);
    const later = start('later release', [First1700000000001, Second1700000000002]);
    await eventually(() => said.includes('relation "migration" does not exist'));
    await runMigrations(postgres.adminUrl, 'notifier', [First1700000000001]);
    await earlier;
    await eventually(() => said.includes('Second1700000000002'));
    expect(states).toEqual(['earlier release']);
    expect(
      await runMigrations(postgres.adminUrl, 'notifier', [First1700000000001, Second1700000000002]),
    ).toBe(1);
    await later;
    // A newer schema is no fault of an older release.
    await start('earlier release again', [First1700000000001]);
    expect(states).toEqual(['earlier release', 'later release', 'earlier release again']);
  });
});
