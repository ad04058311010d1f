import { jest } from '@jest/globals';
import { HealthRegistry } from './health-registry.js';

describe('a check in the background', () => {
  let health: HealthRegistry;
  beforeEach(() => {
    jest.useFakeTimers();
    health = new HealthRegistry();
  });
  afterEach(async () => {
    await health.stop();
    jest.useRealTimers();
  });

  it('runs as often without probes as with many', async () => {
    let asked = 0;
    health.watch('server', () => void (asked += 1));
    await jest.advanceTimersByTimeAsync(10_000);
    const alone = asked;
    for (let second = 0; second < 10; second++) {
      for (let probe = 0; probe < 100; probe++) expect(await health.missing('local')).toEqual([]);
      await jest.advanceTimersByTimeAsync(1_000);
    }
    expect(alone).toBeGreaterThan(4);
    expect(asked - alone).toBeLessThanOrEqual(6);
  });

  it('is answered by its first result before there is another one', async () => {
    health.watch('server', () => Promise.reject(new Error('no')));
    expect(await health.missing('local')).toEqual(['server']);
  });

  it('tells of a failure that lasts, and of its end, once each', async () => {
    let isWell = false;
    const told: boolean[] = [];
    const watched = health.watch('server', () => {
      if (!isWell) throw new Error('no');
    });
    watched.onChange((isAway) => told.push(isAway));
    await jest.advanceTimersByTimeAsync(0);
    expect([watched.isAway, told]).toEqual([false, []]);
    await jest.advanceTimersByTimeAsync(2_000);
    expect([watched.isAway, told]).toEqual([true, [true]]);
    isWell = true;
    await jest.advanceTimersByTimeAsync(2_000);
    expect([watched.isAway, told, await health.missing('local')]).toEqual([false, [true, false], []]);
  });

  it('runs at once when something happened', async () => {
    let isWell = true;
    const watched = health.watch('server', () => {
      if (!isWell) throw new Error('no');
    });
    await jest.advanceTimersByTimeAsync(10_000);
    isWell = false;
    expect(await health.missing('local')).toEqual([]);
    watched.wake();
    await jest.advanceTimersByTimeAsync(0);
    expect(await health.missing('local')).toEqual(['server']);
  });
});
