import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { serviceNames } from '@agentlattice/contracts';
import { embeddedDatabase, loadMigrations, openDataDirectory, runMigrations } from '@agentlattice/launcher';

const run = promisify(execFile);

/** `empty`: roles and schemas without tables; `migrated`: the built migrations of all services were run. */
export type PreparedPostgres = 'empty' | 'migrated';

/**
 * Copies a prepared PostgreSQL into a new data directory, so that most tests of a run neither initialise nor migrate one. The first caller
 * of a run makes it; while it is being made, others begin with an empty data directory, which only takes longer.
 * @param parent the directory of this run's stacks; the prepared PostgreSQL is next to it and is removed with it
 */
export async function copyPreparedPostgres(
  kind: PreparedPostgres,
  parent: string,
  dataDir: string,
): Promise<void> {
  const folder = join(dirname(parent), 'prepared', kind);
  await prepareOnce(kind, folder, parent);
  if (!(await exists(folder))) return;
  await copyFile(join(folder, 'secrets.json'), join(dataDir, 'secrets.json'));
  // PostgreSQL's files may belong to another user, and Node's copy does not keep owners.
  await run('cp', ['-a', join(folder, 'postgres'), dataDir]);
}

async function prepareOnce(kind: PreparedPostgres, folder: string, parent: string): Promise<void> {
  const mine = await mkdir(dirname(folder), { recursive: true })
    .then(() => mkdir(`${folder}.begun`))
    .then(
      () => true,
      () => false,
    );
  if (!mine) return;
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
  await rename(dataDir, folder);
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
