import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serviceNames } from '@agentlattice/contracts';
import { embeddedDatabase, loadMigrations, openDataDirectory, runMigrations } from '@agentlattice/launcher';
import { madeOnce, sharedByRun } from './made-once.js';

const run = promisify(execFile);

/** `empty`: roles and schemas without tables; `migrated`: the built migrations of all services were run. */
export type PreparedPostgres = 'empty' | 'migrated';

const preparedWithinMs = 60_000;

/**
 * Copies a prepared PostgreSQL into a new data directory, so that most tests of a run neither initialise nor migrate one. The first caller
 * of a run makes it, and others wait. Where it was not made, they begin with an empty data directory, which only takes longer.
 * @param parent the directory of this run's stacks; the prepared PostgreSQL is next to it and is removed with it
 */
export async function copyPreparedPostgres(
  kind: PreparedPostgres,
  parent: string,
  dataDir: string,
): Promise<void> {
  const folder = sharedByRun(parent, `postgres-${kind}`);
  const prepared = join(folder, 'data');
  const failed = await madeOnce(folder, () => prepare(kind, prepared, parent), { within: preparedWithinMs });
  if (failed !== undefined) return;
  await copyFile(join(prepared, 'secrets.json'), join(dataDir, 'secrets.json'));
  // PostgreSQL's files may belong to another user, and Node's copy does not keep owners.
  await run('cp', ['-a', join(prepared, 'postgres'), dataDir]);
}

/** Works below `parent`, where the servers of killed tests are looked for. */
async function prepare(kind: PreparedPostgres, prepared: string, parent: string): Promise<void> {
  const dataDir = await mkdtemp(join(parent, 'al-prepared-'));
  const directory = await openDataDirectory({ dataDir, print: () => undefined, stopWithinMs: 10_000 });
  try {
    const database = await embeddedDatabase(directory);
    if (kind === 'migrated')
      for (const service of serviceNames)
        await runMigrations(database.adminUrl, service, await loadMigrations(service));
  } catch (error) {
    await directory.group.close();
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
  await directory.group.close();
  await rename(dataDir, prepared);
}
