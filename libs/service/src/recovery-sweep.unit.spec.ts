import { announceCommitted } from '@agentlattice/event-store';
import { createLogger } from '@agentlattice/observability';
import { jest } from '@jest/globals';
import type pg from 'pg';
import { RecoverySweep } from './recovery-sweep.js';

describe('a recovery sweep', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('runs less often while there is nothing to do, and at its usual pace once its process commits an event', async () => {
    jest.setSystemTime(1_000);
    const pool = {} as pg.Pool;
    let turns = 0;
    const net = new RecoverySweep({
      name: 'net',
      pool,
      everyMs: 1_000,
      idleMs: 8_000,
      work: () => {
        turns += 1;
        return Promise.resolve(false);
      },
      logger: createLogger('test', 'silent'),
    }).start();
    const turnsIn = async (ms: number) => {
      const before = turns;
      await jest.advanceTimersByTimeAsync(ms);
      return turns - before;
    };
    expect(await turnsIn(15_000)).toBe(4);
    expect(await turnsIn(7_999)).toBe(0);
    announceCommitted(pool, []);
    expect(await turnsIn(1_000)).toBe(1);
    await net.stop();
    announceCommitted(pool, []);
    expect(await turnsIn(20_000)).toBe(0);
  });
});
