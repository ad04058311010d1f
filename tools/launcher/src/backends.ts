import type { Configuration } from './configuration.js';
import { type NatsAccess, externalNats, ownNats } from './nats/nats-access.js';
import { type DatabaseAccess, embeddedDatabase, externalDatabase } from './postgres/database-access.js';
import type { DataDirectory } from './data-directory.js';
import { rememberedPort } from './process/free-port.js';
import { embeddedRedis, redisAnswers } from './redis/embedded-redis.js';
import { StartRefused } from './start-refused.js';

/** The servers that the five services use. */
export interface Backends {
  readonly database: DatabaseAccess;
  readonly nats: NatsAccess;
  /** Undefined: timers are in PostgreSQL. */
  readonly redisUrl: string | undefined;
}

/**
 * Starts, or reaches, all servers at once.
 * @throws StartRefused when one of them cannot be used
 */
export async function openBackends(
  configuration: Pick<Configuration, 'database' | 'nats' | 'redisUrl'>,
  directory: DataDirectory,
): Promise<Backends> {
  const { database, nats, redisUrl } = configuration;
  // All at once, because people wait for the start.
  const opening = [
    database === undefined ? embeddedDatabase(directory) : externalDatabase(database, directory),
    nats === undefined ? ownNats(directory) : externalNats(nats, directory),
    redisUrl === undefined ? ownRedis(directory) : externalRedis(redisUrl),
  ] as const;
  // When one of them fails, the others are stopped.
  await Promise.allSettled(opening);
  const [databaseAccess, natsAccess, redis] = await Promise.all(opening);
  return { database: databaseAccess, nats: natsAccess, redisUrl: redis };
}

async function ownRedis(directory: DataDirectory): Promise<string | undefined> {
  const { dataDir, secrets, group } = directory;
  const server = await embeddedRedis(dataDir, await rememberedPort(dataDir, 'redis'), secrets);
  if (server === undefined) return undefined;
  await group.supervise(server.spec).ready(60_000);
  return server.url;
}

async function externalRedis(url: string): Promise<string> {
  if (await redisAnswers(url)) return url;
  throw new StartRefused('The server of REDIS_URL does not answer; start it, or unset REDIS_URL.');
}
