import { serviceNames } from '@agentlattice/contracts';
import { memoryLimits, memoryOptions } from './memory-limits.js';

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
});
