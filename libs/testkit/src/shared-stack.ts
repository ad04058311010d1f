import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Credentials,
  credentialsPath,
  freePort,
  readCredentials,
  repositoryRoot,
  writePidFile,
} from '@agentlattice/launcher';
import { eventually } from './eventually.js';
import { madeOnce, sharedByRun } from './made-once.js';
import { makeWorkspace } from './make-workspace.js';
import { copyPreparedPostgres } from './prepared-postgres.js';
import type { RunningSystem } from './running-system.js';
import { notOfThisMachine, startStack } from './start-stack.js';

/** A workspace of a system that other test files use at the same time. */
export interface SharedStack extends RunningSystem {
  /** Who makes workspaces; belongs to the first workspace of the system. */
  readonly instanceAdmin: Credentials['admin'];
  /** Files that the start of the system wrote: where it is, its keys. Nothing in it may be changed. */
  readonly dataDir: string;
  /** Stops the system when it was started for this file alone. */
  leave(): Promise<void>;
}

const readyWithinMs = 90_000;

/**
 * Gives a test file a new workspace of the system that one run of `npm test` starts for all files that need nothing special: they only
 * call the API, stop or kill nothing, read no database, and need the default configuration. E-mail addresses are unique in the whole
 * system, and failed sign-ins from this machine are counted together: 30 of them block sign-in for all files.
 * Outside of `npm test` a system is started for the file.
 */
export async function joinSharedStack(): Promise<SharedStack> {
  const stacks = process.env['AL_TEST_STACKS'];
  const system =
    stacks === undefined ? await startedForThisFile() : await sharedSystem(stacks, join(stacks, 'al-shared'));
  const { base_url: baseUrl, admin: instanceAdmin } = system.first;
  try {
    const credentials = await makeWorkspace(baseUrl, instanceAdmin.api_key);
    return { baseUrl, credentials, instanceAdmin, dataDir: system.dataDir, leave: system.leave };
  } catch (error) {
    await system.leave();
    throw error;
  }
}

interface Joined {
  /** The credentials of the first workspace. */
  readonly first: Credentials;
  readonly dataDir: string;
  readonly leave: () => Promise<void>;
}

async function startedForThisFile(): Promise<Joined> {
  const stack = await startStack({ samplePolicy: false });
  try {
    await stack.startServices();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return { first: stack.credentials, dataDir: stack.dataDir, leave: stack.stop };
}

async function sharedSystem(stacks: string, dataDir: string): Promise<Joined> {
  const failed = await madeOnce(sharedByRun(stacks, 'system'), (folder) => start(stacks, dataDir, folder), {
    within: readyWithinMs + 20_000,
  });
  if (failed !== undefined) throw new Error(`the system that the test files share did not start: ${failed}`);
  const first = await readCredentials(credentialsPath(dataDir));
  if (first === undefined) throw new Error(`${credentialsPath(dataDir)} is missing`);
  return { first, dataDir, leave: () => Promise.resolve() };
}

/** Starts the launcher as a process of its own, because Jest ends its workers in between; tools/test.mjs stops it. */
async function start(stacks: string, dataDir: string, folder: string): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  await copyPreparedPostgres('migrated', stacks, dataDir);
  const port = String(await freePort());
  const printed = join(folder, 'printed');
  const output = openSync(printed, 'a');
  const launcher = spawn(process.execPath, ['tools/launcher/dist/main.js'], {
    cwd: repositoryRoot,
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      ...inherited(),
      ...notOfThisMachine,
      ...{ AL_DATA_DIR: dataDir, PORT: port, REDIS_URL: process.env['TEST_REDIS_URL'] },
    },
  });
  // Recorded apart from what it runs, because tools/test.mjs stops it first.
  if (launcher.pid !== undefined)
    writePidFile(join(stacks, 'launchers'), 'shared', {
      ...{ pid: launcher.pid, stopSignal: 'SIGTERM', backend: false },
    });
  closeSync(output);
  launcher.unref();
  let ended = false;
  launcher.once('error', () => (ended = true)).once('exit', () => (ended = true));
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  try {
    await eventually(async () => ended || (await isReady()), { within: readyWithinMs, every: 50 });
    if (ended) throw new Error('the launcher ended');
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : ''}\n${await readFile(printed, 'utf8')}`);
  }
}

/** Without the servers that the environment names, and without Jest's options for Node. */
const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(DATABASE_URL|NATS_URL|REDIS_URL|HOST$|NODE_OPTIONS$)/.test(name),
    ),
  );
