import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** For a busy machine; on an idle one each step takes 20 s or less. */
const patience = 600_000;
const folder = fileURLToPath(new URL('../clients/python', import.meta.url));

/** The Python SDK is checked by its own tools, in a virtual environment that holds the built package. */
describe('the Python SDK', () => {
  let environment: string;

  beforeAll(async () => {
    environment = await mkdtemp(join(tmpdir(), 'al-python-sdk-'));
    await run('python3', ['-m', 'venv', environment]);
    await inFolder('pip', ['install', '--quiet', '--no-compile', '--disable-pip-version-check', '.[dev]']);
  }, patience);
  afterAll(() => rm(environment, { recursive: true, force: true }));

  /** Runs a tool of the environment. @throws with what it printed when it fails */
  async function inFolder(tool: string, args: readonly string[]): Promise<void> {
    const caches = {
      PYTHONPYCACHEPREFIX: join(environment, 'bytecode'),
      MYPY_CACHE_DIR: join(environment, 'mypy'),
      RUFF_CACHE_DIR: join(environment, 'ruff'),
    };
    try {
      await run(join(environment, 'bin', tool), args, {
        cwd: folder,
        env: { ...process.env, ...caches, NODE: process.execPath },
        maxBuffer: 16 * 1024 * 1024,
      });
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`${tool} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
    }
  }

  it('is clean by its linter', () => inFolder('ruff', ['check', '.']));

  it('is formatted', () => inFolder('ruff', ['format', '--check', '.']));

  it('passes the strict type check', () => inFolder('mypy', []), patience);

  it(
    'passes its tests, among them every conformance case',
    () => inFolder('pytest', ['-q', '-p', 'no:cacheprovider']),
    patience,
  );
});
