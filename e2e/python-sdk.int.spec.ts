import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonSdkEnvironment } from './kit/python-client.js';
import type { PythonEnvironment } from './kit/python-environment.js';

const run = promisify(execFile);
/** For a busy machine; on an idle one each step takes 20 s or less. */
const patience = 600_000;
const folder = fileURLToPath(new URL('../clients/python', import.meta.url));

/** The Python SDK is checked by its own tools, in a virtual environment that holds the built package. */
describe('the Python SDK', () => {
  let environment: PythonEnvironment;
  let caches: string;
  let typeCheck: Promise<void>;

  beforeAll(async () => {
    environment = await pythonSdkEnvironment();
    caches = await mkdtemp(join(tmpdir(), 'al-python-caches-'));
    // It computes while the tests mostly wait for servers, so that it runs beside them.
    typeCheck = inFolder('mypy', []);
    typeCheck.catch(() => undefined);
  }, patience);
  afterAll(async () => {
    await environment.remove();
    await rm(caches, { recursive: true, force: true });
  });

  /** Runs a tool of the environment. @throws with what it printed when it fails */
  async function inFolder(tool: string, args: readonly string[]): Promise<void> {
    const folders = {
      MYPY_CACHE_DIR: join(caches, 'mypy'),
      RUFF_CACHE_DIR: join(caches, 'ruff'),
    };
    try {
      await run(environment.program(tool), args, {
        cwd: folder,
        env: { ...process.env, ...folders, NODE: process.execPath },
        maxBuffer: 16 * 1024 * 1024,
      });
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`${tool} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
    }
  }

  it('is clean by its linter', () => inFolder('ruff', ['check', '.']));

  it('is formatted', () => inFolder('ruff', ['format', '--check', '.']));

  it(
    'passes its tests, among them every conformance case',
    () => inFolder('pytest', ['-q', '-p', 'no:cacheprovider']),
    patience,
  );

  it('passes the strict type check', () => typeCheck, patience);
});
