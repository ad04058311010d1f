import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A virtual environment of Python with released packages of the package index in it, nothing of them changed. */
export interface PythonEnvironment {
  /** The path of a program of the environment. */
  program(name: string): string;
  remove(): Promise<void>;
}

/** @throws when Python or the package index is not there */
export async function pythonEnvironment(...packages: readonly string[]): Promise<PythonEnvironment> {
  const folder = await mkdtemp(join(tmpdir(), 'al-python-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await run('python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin/pip'), [
      'install',
      '--quiet',
      '--no-compile',
      '--disable-pip-version-check',
      ...packages,
    ]);
  } catch (error) {
    await remove();
    throw error;
  }
  return { program: (name) => join(folder, 'bin', name), remove };
}
