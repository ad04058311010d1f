import { readFileSync } from 'node:fs';
import { serviceNames } from '@agentlattice/contracts';
import { readConfiguration } from './configuration.js';
import { ensureFirstWorkspace } from './first-start/ensure-first-workspace.js';
import { preparedDatabase } from './postgres/database-access.js';
import { loadAllMigrations, migrateAll } from './postgres/migrate-all.js';
import { StartRefused } from './start-refused.js';

// The job that runs before the services of a release: roles, schemas, migrations and the first workspace. It is run again after a
// failure, and changes nothing where everything is in place.

const print = (line: string) => process.stdout.write(`${line}\n`);

/** `NAME_FILE` names a file with the value of `NAME`, as for the services. */
function withFiles(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const files = Object.entries(env).filter(
    ([name, file]) => /^DATABASE_URL\w*_FILE$/.test(name) && file !== '',
  );
  const values = files.map(([name, file = '']) => [
    name.slice(0, -'_FILE'.length),
    readFileSync(file, 'utf8').trim(),
  ]);
  return { ...Object.fromEntries(values), ...env };
}

async function run(): Promise<void> {
  const env = withFiles(process.env);
  const { database } = readConfiguration(env);
  if (database === undefined || serviceNames.some((service) => database.services[service] === undefined))
    throw new StartRefused(
      'DATABASE_URL and the URL of each service (DATABASE_URL_GATEWAY and so on) must be set.',
    );
  const access = await preparedDatabase(database, print);
  await migrateAll(access, await loadAllMigrations(), print);
  print('all schemas are up to date');
  const credentials = env['AL_CREDENTIALS_FILE'];
  if (credentials === undefined || credentials === '') return;
  const { url, options } = access.of('gateway');
  await ensureFirstWorkspace(credentials, {
    DATABASE_URL: url,
    ...(options === undefined ? {} : { PGOPTIONS: options }),
  });
  print('the first workspace is in place');
}

try {
  await run();
} catch (error) {
  if (error instanceof StartRefused) process.stderr.write(`${error.message}\n`);
  else console.error(error);
  process.exitCode = 1;
}
