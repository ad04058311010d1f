import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { redisOnPath, testDataDirectory } from '@agentlattice/testkit';
import { startServer } from '../data-directory.js';
import { embeddedRedis, redisAnswers } from './embedded-redis.js';

describe('the started Redis', () => {
  it('requires a password, is restarted after a kill, and keeps its data', async () => {
    if (!(await redisOnPath())) return;
    const directory = await testDataDirectory();
    try {
      const { url } = await startServer(directory, 'redis', async (port) => {
        const server = await embeddedRedis(directory.dataDir, port, directory.secrets);
        if (server === undefined) throw new Error('redis-server went away');
        return server;
      });
      const open = new URL(url);
      open.password = '';
      expect(await redisAnswers(open.href)).toBe(false);
      expect(statSync(join(directory.dataDir, 'redis.conf')).mode & 0o777).toBe(0o600);

      const set = new Redis(url);
      await set.set('timer', 'due');
      await set.quit();
      const server = directory.group.get('redis');
      server?.kill('SIGKILL');
      await server?.ready(30_000);
      const get = new Redis(url);
      expect(await get.get('timer')).toBe('due');
      await get.quit();
    } finally {
      await directory.remove();
    }
  });
});
