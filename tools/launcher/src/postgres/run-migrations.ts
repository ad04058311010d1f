import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServiceName } from '@agentlattice/contracts';
import type pg from 'pg';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { repositoryRoot } from '../repository-root.js';
import { withClient } from './database-client.js';
import { roleOf, schemaOf } from './service-role.js';

/** A class from `apps/<service>/src/migrations`. */
export type MigrationClass = new () => MigrationInterface;

// One launcher migrates at a time; the others wait and then have nothing to do.
const migrationLock = 715_402_002;
const migrationTable = 'migration';

/** The built migrations of a service, oldest first; none while the app has no such file. */
export async function loadMigrations(service: ServiceName): Promise<readonly MigrationClass[]> {
  const path = join(repositoryRoot, 'apps', service, 'dist', 'migrations', 'index.js');
  if (!existsSync(path)) return [];
  const module = (await import(pathToFileURL(path).href)) as { migrations: readonly MigrationClass[] };
  return module.migrations;
}

/**
 * Brings a service's schema up to date as the administrator, and lets the service read which migrations were run: it waits for those that
 * it needs. Costs one query when there is nothing to do.
 * @param grantee the role that gets the grants of the migrations, when the service's role on an external server has another name
 * @returns how many migrations were run
 */
export function runMigrations(
  adminUrl: string,
  service: ServiceName,
  migrations: readonly MigrationClass[],
  grantee = roleOf(service),
): Promise<number> {
  return withClient(adminUrl, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    const table = `${schemaOf(service)}.${migrationTable}`;
    const names = await migrationsRun(client, table);
    const isDone = migrations.every((migration) => names.has(nameOf(migration)));
    const count = isDone ? 0 : await migrate(adminUrl, service, migrations, grantee);
    if (migrations.length > 0) await letRead(client, table, grantee);
    return count;
  });
}

async function migrationsRun(client: pg.Client, table: string): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ known: boolean }>('SELECT to_regclass($1) IS NOT NULL AS known', [
    table,
  ]);
  if (rows[0]?.known !== true) return new Set();
  const done = await client.query<{ name: string }>(`SELECT name FROM ${table}`);
  return new Set(done.rows.map(({ name }) => name));
}

/** Tables of earlier releases lack this right. */
async function letRead(client: pg.Client, table: string, grantee: string): Promise<void> {
  const { rows } = await client.query<{ may: boolean }>(
    `SELECT has_table_privilege($1, $2, 'SELECT') AS may`,
    [grantee, table],
  );
  if (rows[0]?.may !== true)
    await client.query(`GRANT SELECT ON ${table} TO ${client.escapeIdentifier(grantee)}`);
}

/** TypeORM's own rule for the name it stores. */
export const nameOf = (migration: MigrationClass) => new migration().name ?? migration.name;

async function migrate(
  adminUrl: string,
  service: ServiceName,
  migrations: readonly MigrationClass[],
  grantee: string,
): Promise<number> {
  // Loaded only when needed: it is the slowest import of a start.
  const { DataSource, MigrationExecutor } = await import('typeorm');
  const schema = schemaOf(service);
  const source: DataSource = new DataSource({
    type: 'postgres',
    url: adminUrl,
    schema,
    migrations: [...migrations],
    migrationsTableName: migrationTable,
    migrationsTransactionMode: 'each',
    extra: { options: `-c search_path=${schema}`, max: 2 },
  });
  await source.initialize();
  const runner = source.createQueryRunner();
  try {
    if (grantee !== roleOf(service))
      grantInstead(runner, roleOf(service), `"${grantee.replaceAll('"', '""')}"`);
    const executor = new MigrationExecutor(source, runner);
    executor.transaction = 'each';
    return (await executor.executePendingMigrations()).length;
  } finally {
    await runner.release();
    await source.destroy();
  }
}

/** Replaces the name of the service's role in the statements of migrations. */
function grantInstead(runner: QueryRunner, role: string, grantee: string): void {
  const { query } = runner;
  const named = new RegExp(`\\b${role}\\b`, 'g');
  Object.assign(runner, {
    query: (sql: string, ...rest: unknown[]): unknown =>
      Reflect.apply(query, runner, [sql.replace(named, () => grantee), ...rest]),
  });
}
