import type { Logger } from '@agentlattice/observability';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

/** A migration class; its name is the class's, or that of its instances (TypeORM's rule). */
export type MigrationName = new () => object;

export interface SchemaNeeds {
  readonly databaseUrl: string;
  /** What the code of this release expects to have been run. */
  readonly migrations: readonly MigrationName[];
  readonly logger: Logger;
  /** Between two looks; default 1 s. */
  readonly everyMs?: number;
}

function nameOf(migration: MigrationName): string {
  const instance = new migration();
  return 'name' in instance && typeof instance.name === 'string' ? instance.name : migration.name;
}

/**
 * Resolves once all migrations of this release were run. A service only reads which ones there are and never migrates (ADR 10): after an
 * upgrade begins, new replicas wait here until the migration job is done, and old ones keep working, since a later migration is
 * no fault. A database that does not answer, or has no role for us yet, is waited for as well.
 */
export async function awaitSchema({
  databaseUrl,
  migrations,
  logger,
  everyMs = 1_000,
}: SchemaNeeds): Promise<void> {
  const names = migrations.map(nameOf);
  let told = '';
  for (;;) {
    const missing = await missingMigrations(databaseUrl, names).catch((error: unknown) => reasonOf(error));
    if (missing === '') return;
    if (missing !== told) logger.warn({ missing }, 'waiting for the schema of this release');
    told = missing;
    await pause(everyMs);
  }
}

/** Empty: none is missing. */
async function missingMigrations(databaseUrl: string, names: readonly string[]): Promise<string> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 3_000,
    query_timeout: 3_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>('SELECT name FROM migration');
    const run = new Set(rows.map(({ name }) => name));
    return names.filter((name) => !run.has(name)).join(', ');
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Errors of the driver contain no password. Some network errors have a code only. */
function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return typeof message === 'string' && message !== '' ? message : String(code);
}
