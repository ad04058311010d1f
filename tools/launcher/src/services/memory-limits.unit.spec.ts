import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames } from '@agentlattice/contracts';
import { repositoryRoot } from '../repository-root.js';
import { memoryLimits, memoryOptions } from './memory-limits.js';

/** The launcher itself, and the process that makes the first workspace. */
const launcherMb = 256;

describe('the limits of memory', () => {
  it.each(serviceNames)('of the %s become options of Node', (service) => {
    expect(memoryOptions(service)).toEqual([
      expect.stringMatching(/^--max-semi-space-size=\d+$/),
      expect.stringMatching(/^--initial-old-space-size=\d+$/),
      expect.stringMatching(/^--max-old-space-size=\d+$/),
      expect.stringMatching(/^--v8-pool-size=\d+$/),
    ]);
  });

  it.each(serviceNames)('leave the container of the %s room for memory outside of the heap', (service) => {
    const { node, containerMb } = memoryLimits()[service];
    // Three semi-spaces make the young generation; code, buffers and libraries take about a hundred megabytes.
    const heap = node['max-old-space-size'] + 3 * node['max-semi-space-size'];
    expect(containerMb).toBeGreaterThanOrEqual(heap + 128);
    expect(node['initial-old-space-size']).toBeLessThan(node['max-old-space-size']);
  });

  it('are those of docker-compose.yml, where one container holds all services', () => {
    const compose = readFileSync(join(repositoryRoot, 'docker-compose.yml'), 'utf8');
    const given = Number(/^ {4}mem_limit: (\d+)m$/m.exec(compose)?.[1]);
    const needed = serviceNames.reduce((sum, name) => sum + memoryLimits()[name].containerMb, launcherMb);
    expect(given).toBeGreaterThanOrEqual(needed);
    expect(given).toBeLessThan(needed * 1.25);
  });
});
