import type { ServiceName } from '@agentlattice/contracts';
import { embeddedDatabase, loadMigrations, type MigrationClass, runMigrations } from '@agentlattice/launcher';
import { testDataDirectory } from './test-data-directory.js';

export interface TestPostgres {
  /** The URL of the administrator, who owns all tables. */
  readonly adminUrl: string;
  /** The URL of a service's own role, whose search path is its schema. */
  databaseUrl(service: ServiceName): string;
  /** Kills the server's process; its supervision restarts it. */
  kill(signal?: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/**
 * A PostgreSQL of its own, with the schemas and roles of all services.
 * @param migrations per service: its migration classes, or `built` for those in its dist folder
 */
export async function startPostgres(
  options: { migrations?: Partial<Record<ServiceName, readonly MigrationClass[] | 'built'>> } = {},
): Promise<TestPostgres> {
  const directory = await testDataDirectory('empty');
  try {
    const database = await embeddedDatabase(directory);
    for (const [name, wanted] of Object.entries(options.migrations ?? {})) {
      const service = name as ServiceName;
      await runMigrations(
        database.adminUrl,
        service,
        wanted === 'built' ? await loadMigrations(service) : wanted,
      );
    }
    return {
      adminUrl: database.adminUrl,
      databaseUrl: (service) => database.of(service).url,
      kill: (signal = 'SIGKILL') => void directory.group.get('postgres')?.kill(signal),
      stop: directory.remove,
    };
  } catch (error) {
    await directory.remove();
    throw error;
  }
}
