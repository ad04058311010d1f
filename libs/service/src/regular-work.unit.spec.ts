import { createLogger } from '@agentlattice/observability';
import { jest } from '@jest/globals';
import { RegularWork } from './regular-work.js';

const logger = createLogger('test', 'silent');

describe('regular work', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('is done again after each turn, also after one that failed', async () => {
    let turns = 0;
    const work = new RegularWork(
      'work',
      1_000,
      () => (++turns % 2 === 0 ? Promise.reject(new Error('not now')) : Promise.resolve()),
      logger,
    ).start();
    await jest.advanceTimersByTimeAsync(3_500);
    expect(turns).toBe(3);
    await work.stop();
    await jest.advanceTimersByTimeAsync(3_000);
    expect(turns).toBe(3);
  });

  it('is done at once when woken, and once more when woken meanwhile', async () => {
    const ends: (() => void)[] = [];
    const work = new RegularWork('work', 1_000, () => new Promise<void>((end) => ends.push(end)), logger);
    work.start().wake();
    work.wake();
    work.wake();
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await jest.advanceTimersByTimeAsync(0);
    expect(ends).toHaveLength(2);
    ends[1]?.();
    await jest.advanceTimersByTimeAsync(999);
    expect(ends).toHaveLength(2);
    await jest.advanceTimersByTimeAsync(1);
    expect(ends).toHaveLength(3);
    const stopped = work.stop();
    ends[2]?.();
    await stopped;
    work.wake();
    expect(ends).toHaveLength(3);
  });
});
