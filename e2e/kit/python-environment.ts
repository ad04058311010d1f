import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { madeOnce, sharedByRun } from '@agentlattice/testkit';

const run = promisify(execFile);

/** Installs with a tenth of the time of pip, which takes its place where it cannot be had. */
const fastInstaller = 'uv==0.13.9';
const madeWithinMs = 300_000;

/** A virtual environment of Python with unchanged packages. */
export interface PythonEnvironment {
  /** The path of a program of the environment. */
  program(name: string): string;
  remove(): Promise<void>;
}

/**
 * Installs packages: names of the package index, or folders. Within one run of `npm test` the environment is made once for the same
 * packages: a test that needs it meanwhile waits for it, since making a second one would take longer.
 * @throws when Python or the package index is not there
 */
export async function pythonEnvironment(...packages: readonly string[]): Promise<PythonEnvironment> {
  const shared = sharedFolder(packages);
  if (shared !== undefined) {
    const failed = await madeOnce(shared, () => install(shared, packages), { within: madeWithinMs });
    if (failed === undefined) return environmentIn(shared, () => Promise.resolve());
  }
  const folder = await mkdtemp(join(tmpdir(), 'al-python-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await install(folder, packages);
  } catch (error) {
    await remove();
    throw error;
  }
  return environmentIn(folder, remove);
}

const environmentIn = (folder: string, remove: () => Promise<void>): PythonEnvironment => ({
  program: (name) => join(folder, 'bin', name),
  remove,
});

async function install(folder: string, packages: readonly string[]): Promise<void> {
  const uv = await uvOnce();
  if (uv !== undefined && (await installWithUv(uv, folder, packages))) return;
  await run('python3', ['-m', 'venv', '--clear', folder]);
  await run(join(folder, 'bin/pip'), [
    ...['install', '--quiet', '--no-compile', '--disable-pip-version-check'],
    ...packages,
  ]);
}

/** @returns false when it failed, for instance because it knows nothing of a mirror that pip was told of */
async function installWithUv(uv: string, folder: string, packages: readonly string[]): Promise<boolean> {
  try {
    await run(uv, ['venv', '--quiet', '--python', 'python3', '--no-python-downloads', folder]);
    await run(uv, ['pip', 'install', '--quiet', '--python', join(folder, 'bin/python'), ...packages]);
    return true;
  } catch {
    return false;
  }
}

/** The program uv, made once within a run of `npm test`; undefined outside of it, and where it cannot be installed. */
async function uvOnce(): Promise<string | undefined> {
  const folder = sharedFolder([fastInstaller]);
  if (folder === undefined) return undefined;
  const install = () =>
    run('python3', [
      ...['-m', 'pip', 'install', '--quiet', '--no-deps', '--no-compile', '--disable-pip-version-check'],
      ...['--target', folder, fastInstaller],
    ]);
  const failed = await madeOnce(folder, install, { within: madeWithinMs }).catch(String);
  return failed === undefined ? join(folder, 'bin/uv') : undefined;
}

/** Undefined outside of `npm test`. */
function sharedFolder(packages: readonly string[]): string | undefined {
  const stacks = process.env['AL_TEST_STACKS'];
  if (stacks === undefined) return undefined;
  const name = createHash('sha256').update(packages.join('\n')).digest('hex').slice(0, 16);
  return sharedByRun(stacks, `python-${name}`);
}
