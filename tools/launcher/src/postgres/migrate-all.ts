import { serviceNames } from '@agentlattice/contracts';
import type { DatabaseAccess } from './database-access.js';
import { loadMigrations, type MigrationClass, runMigrations } from './run-migrations.js';

/** The migrations of all services, in the order of `serviceNames`. */
export const loadAllMigrations = (): Promise<readonly (readonly MigrationClass[])[]> =>
  Promise.all(serviceNames.map(loadMigrations));

/** Brings the schemas of all services up to date. */
export async function migrateAll(
  database: DatabaseAccess,
  migrations: readonly (readonly MigrationClass[])[],
  print: (line: string) => void,
): Promise<void> {
  for (const [i, service] of serviceNames.entries()) {
    const { role } = database.of(service);
    const count = await runMigrations(database.adminUrl, service, migrations[i] ?? [], role);
    if (count > 0) print(`${service}: ${String(count)} migration${count === 1 ? '' : 's'} run`);
  }
}
