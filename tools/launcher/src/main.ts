import { mkdirSync } from 'node:fs';
import { readConfiguration } from './configuration.js';
import { greeting } from './first-start/greeting.js';
import { openSystem } from './system.js';
import { openDataDirectory, type DataDirectory } from './data-directory.js';
import { acquireLauncherLock } from './process/launcher-lock.js';
import { StartRefused } from './start-refused.js';

const print = (line: string) => process.stdout.write(`${line}\n`);

const stopRequested = new Promise<string>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
  // The bootstrap process has ended, and no other process would stop this one.
  process.on('disconnect', () => resolve('the end of npm start'));
});
// The terminal was closed: the lines are lost, and the system still stops in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

async function run(): Promise<number> {
  const configuration = readConfiguration(process.env);
  const { dataDir } = configuration;
  try {
    mkdirSync(dataDir, { recursive: true });
  } catch {
    throw new StartRefused(`The data directory ${dataDir} cannot be made; set AL_DATA_DIR to one that can.`);
  }
  const release = acquireLauncherLock(dataDir);
  let directory: DataDirectory | undefined;
  let giveUp: (reason: StartRefused) => void = () => undefined;
  const givenUp = new Promise<never>((_, reject) => (giveUp = reject));
  givenUp.catch(() => undefined);
  try {
    directory = await openDataDirectory({ dataDir, print, onGivenUp: giveUp });
    const starting = start(configuration, directory);
    starting.catch(() => undefined);
    const first = await Promise.race([starting, stopRequested, givenUp]);
    const why = first ?? (await Promise.race([stopRequested, givenUp]));
    print(`stopping (${why})`);
    await directory.group.close();
    // A running step of an unfinished start, such as initdb, ends by itself.
    await starting.catch(() => undefined);
    return 0;
  } finally {
    await directory?.group.close();
    release();
  }
}

async function start(
  configuration: ReturnType<typeof readConfiguration>,
  directory: DataDirectory,
): Promise<undefined> {
  const startedAt = Date.now();
  print('starting the servers');
  const system = await openSystem(configuration, directory);
  print('starting the services');
  await system.startServices();
  print(`ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  print(greeting(configuration.dataDir, system.credentials));
}

try {
  process.exit(await run());
} catch (error) {
  if (error instanceof StartRefused) process.stderr.write(`${error.message}\n`);
  else console.error(error);
  process.exit(1);
}
