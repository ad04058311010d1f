import { createLogger } from '@agentlattice/observability';
import { jest } from '@jest/globals';
import { idle, PeriodicTask } from './periodic-task.js';

const logger = createLogger('test', 'silent');

describe('a periodic task', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('runs again after each turn, also after one that failed', async () => {
    let turns = 0;
    const work = new PeriodicTask(
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

  it('runs at once when woken, and once more when woken during the run', async () => {
    const ends: (() => void)[] = [];
    const work = new PeriodicTask('work', 1_000, () => new Promise<void>((end) => ends.push(end)), logger);
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

  it('doubles its pauses while there is no work, and returns to the short pause when there is', async () => {
    jest.setSystemTime(1_000);
    let found: symbol | undefined = idle;
    let turns = 0;
    const work = new PeriodicTask(
      'work',
      1_000,
      () => {
        turns += 1;
        return Promise.resolve(found);
      },
      logger,
      4_000,
    ).start();
    const turnsIn = async (ms: number) => {
      const before = turns;
      await jest.advanceTimersByTimeAsync(ms);
      return turns - before;
    };
    expect(await turnsIn(1_000)).toBe(1);
    expect(await turnsIn(2_000)).toBe(1);
    expect(await turnsIn(3_999)).toBe(0);
    expect(await turnsIn(1)).toBe(1);
    expect(await turnsIn(4_000)).toBe(1);
    work.hasten();
    expect(await turnsIn(1_000)).toBe(1);
    found = undefined;
    work.wake();
    expect(await turnsIn(3_000)).toBe(3);
    found = idle;
    expect(await turnsIn(1_000)).toBe(1);
    expect(await turnsIn(1_999)).toBe(0);
    await work.stop();
  });

  it('wakes up together with other idle tasks, and never later than it would alone', async () => {
    jest.setSystemTime(0);
    const turns: number[][] = [[], []];
    const works = turns.map((times) =>
      new PeriodicTask(
        'work',
        1_000,
        () => {
          times.push(Date.now());
          return Promise.resolve(idle);
        },
        logger,
        8_000,
      ).start(),
    );
    await jest.advanceTimersByTimeAsync(500);
    works[1]?.wake();
    await jest.advanceTimersByTimeAsync(40_000);
    const together = turns.map((times) => times.filter((time) => time >= 16_000));
    expect(together[0]).toEqual([16_000, 24_000, 32_000, 40_000]);
    expect(together[1]).toEqual(together[0]);
    for (const times of turns)
      for (const [i, time] of times.entries())
        expect(time - (times[i - 1] ?? time)).toBeLessThanOrEqual(8_000);
    await Promise.all(works.map((work) => work.stop()));
  });

  it('keeps the short pause when it was hastened during a turn without work', async () => {
    let turns = 0;
    let end: () => void = () => undefined;
    const work = new PeriodicTask(
      'work',
      1_000,
      () => {
        turns += 1;
        return new Promise((resolve) => (end = () => resolve(idle)));
      },
      logger,
      8_000,
    ).start();
    await jest.advanceTimersByTimeAsync(1_000);
    work.hasten();
    end();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(turns).toBe(2);
    end();
    await work.stop();
  });
});
