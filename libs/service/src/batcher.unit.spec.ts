import { Unavailable } from '@agentlattice/contracts';
import { Batcher } from './batcher.js';

/** Runs that the test ends. */
function byHand() {
  const runs: {
    items: readonly number[];
    end: (results: readonly (number | Promise<number>)[]) => void;
    fail: (error: Error) => void;
  }[] = [];
  const work = (items: readonly number[]) =>
    new Promise<readonly (number | Promise<number>)[]>((end, fail) => runs.push({ items, end, fail }));
  const groups = () => runs.map(({ items }) => items);
  const end = async (run: number) => {
    runs[run]?.end(runs[run].items.map((item) => item * 10));
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { runs, work, groups, end };
}

describe('work in groups', () => {
  it('begins a single item at once, and items that arrive during its run together', async () => {
    const { work, groups, end } = byHand();
    const group = new Batcher(work, { maxItems: 3 });
    const results = Promise.all([1, 2, 3, 4, 5].map((item) => group.do(item)));
    expect(groups()).toEqual([[1]]);
    await end(0);
    expect(groups()).toEqual([[1], [2, 3, 4]]);
    await end(1);
    await end(2);
    expect(groups()).toEqual([[1], [2, 3, 4], [5]]);
    expect(await results).toEqual([10, 20, 30, 40, 50]);
  });

  it('runs up to its limit of groups at once', () => {
    const { work, groups } = byHand();
    const group = new Batcher(work, { maxItems: 9, atOnce: 2 });
    for (const item of [1, 2, 3]) void group.do(item);
    expect(groups()).toEqual([[1], [2]]);
  });

  it('rejects the items of a failed run, and goes on', async () => {
    const { runs, work, end } = byHand();
    const group = new Batcher(work, { maxItems: 9 });
    const [first, second] = [group.do(1), group.do(2)];
    runs[0]?.fail(new Error('the connection is gone'));
    await expect(first).rejects.toThrow('the connection is gone');
    await end(1);
    expect(await second).toBe(20);
  });

  it('lets an item fail alone', async () => {
    const { runs, work, end } = byHand();
    const group = new Batcher(work, { maxItems: 9 });
    const first = group.do(1);
    const [second, third] = [group.do(2), group.do(3)];
    await end(0);
    expect(await first).toBe(10);
    runs[1]?.end([Promise.reject(new Error('this one')), 30]);
    await expect(second).rejects.toThrow('this one');
    expect(await third).toBe(30);
  });

  it('rejects items that waited too long', async () => {
    const { work, groups, end } = byHand();
    let now = 0;
    const group = new Batcher(work, { maxItems: 9, oldestMs: 2_000, now: () => now });
    const first = group.do(1);
    const stale = group.do(2);
    now = 1_000;
    const fresh = group.do(3);
    now = 2_001;
    await end(0);
    expect(await first).toBe(10);
    await expect(stale).rejects.toThrow(Unavailable);
    expect(groups()).toEqual([[1], [3]]);
    await end(1);
    expect(await fresh).toBe(30);
  });

  it('refuses items beyond its limit', async () => {
    const { work } = byHand();
    const group = new Batcher(work, { maxItems: 1, maxWaiting: 1 });
    void group.do(1);
    void group.do(2);
    await expect(group.do(3)).rejects.toThrow(Unavailable);
  });
});
