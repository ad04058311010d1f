import type { Logger } from '@agentlattice/observability';
import { ConfigFault } from '@agentlattice/service';
import { Redis } from 'ioredis';

const withinMs = 2_000;

/** @returns what is wrong with the answer to INFO, as a sentence; null: nothing, or the server does not say */
export function evictionFault(info: string): string | null {
  const policy = /^maxmemory_policy:(.*)$/m.exec(info)?.[1]?.trim() ?? '';
  return policy === '' || policy === 'noeviction'
    ? null
    : `Redis of REDIS_URL may evict timers (maxmemory-policy ${policy}): set maxmemory-policy noeviction.`;
}

/**
 * A Redis that evicts keys when its memory is full would lose timers without an error. One that does not answer is no fault: timers are
 * hints, and it may come later.
 * @throws ConfigFault
 */
export async function refuseEvictingRedis(url: string, logger: Logger): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: withinMs,
    commandTimeout: withinMs,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const fault = evictionFault(await redis.info('memory'));
    if (fault !== null) throw new ConfigFault(fault);
  } catch (error) {
    if (error instanceof ConfigFault) throw error;
    logger.warn({ err: error }, 'Redis was not asked whether it evicts timers');
  } finally {
    redis.disconnect();
  }
}
