import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivateFile } from '../private-file.js';
import { findOnPath } from '../process/find-on-path.js';
import { runCommand } from '../process/run-command.js';
import type { ChildSpec } from '../process/supervised-process.js';
import type { Secrets } from '../secrets.js';

// BullMQ's scripts use commands of this version.
const oldestMajor = 6;

export interface EmbeddedRedis {
  readonly spec: ChildSpec;
  readonly url: string;
}

/** Prepares the `redis-server` on PATH in `<dataDir>/redis`; undefined where there is none (BullMQ then uses PostgreSQL). */
export async function embeddedRedis(
  dataDir: string,
  port: number,
  secrets: Secrets,
): Promise<EmbeddedRedis | undefined> {
  const program = await findRedisServer();
  if (program === undefined) return undefined;
  const password = secrets.of('redis');
  await secrets.save();
  const dir = join(dataDir, 'redis');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const configFile = join(dataDir, 'redis.conf');
  const settings = [
    'bind 127.0.0.1',
    `port ${String(port)}`,
    `requirepass ${password}`,
    'appendonly yes',
    // Timers must never be evicted.
    'maxmemory-policy noeviction',
    `dir ${JSON.stringify(dir)}`,
    'daemonize no',
  ];
  await writePrivateFile(configFile, `${settings.join('\n')}\n`);
  const url = `redis://:${password}@127.0.0.1:${String(port)}`;
  return {
    url,
    spec: {
      name: 'redis',
      command: program,
      args: [configFile],
      cwd: dir,
      env: () => ({ PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' }),
      stopSignal: 'SIGTERM',
      backend: true,
      isReady: () => redisAnswers(url),
      present: (line) => (/Fatal|Can't|MISCONF/.test(line) ? line : undefined),
    },
  };
}

/** The first `redis-server` on PATH that is recent enough. */
export async function findRedisServer(): Promise<string | undefined> {
  for (const program of findOnPath('redis-server')) {
    const { stdout } = await runCommand(program, ['--version'], { timeoutMs: 10_000 });
    if (Number(/v=(\d+)/.exec(stdout)?.[1] ?? 0) >= oldestMajor) return program;
  }
  return undefined;
}

/** Whether the server takes our password and answers. */
export async function redisAnswers(url: string): Promise<boolean> {
  const { Redis } = await import('ioredis');
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
