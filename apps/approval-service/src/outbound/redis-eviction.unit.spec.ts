import { evictionFault } from './redis-eviction.js';

const info = (policy: string) =>
  `# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:${policy}\r\nactive_defrag:0\r\n`;

it.each(['allkeys-lru', 'volatile-ttl', 'allkeys-random'])(
  'a Redis with %s is refused in one sentence',
  (policy) => {
    expect(evictionFault(info(policy))).toBe(
      `Redis of REDIS_URL may evict timers (maxmemory-policy ${policy}): set maxmemory-policy noeviction.`,
    );
  },
);

it('a Redis that evicts nothing, or does not say, is taken', () => {
  expect([evictionFault(info('noeviction')), evictionFault('# Memory\r\n')]).toEqual([null, null]);
});
