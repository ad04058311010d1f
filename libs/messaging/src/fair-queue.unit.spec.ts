import { FairQueue } from './fair-queue.js';

describe('the fair queue', () => {
  it('lets lanes take turns, each in its own order', () => {
    const queue = new FairQueue<string>(10);
    for (const item of ['a1', 'a2', 'a3', 'a4']) queue.push('a', item);
    for (const item of ['b1', 'b2']) queue.push('b', item);
    queue.push('c', 'c1');
    const taken: (string | undefined)[] = [];
    while (queue.size > 0) taken.push(queue.take());
    expect(taken).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
    expect(queue.take()).toBeUndefined();
  });

  it('refuses an item of a full lane and takes those of other lanes', () => {
    const queue = new FairQueue<number>(2);
    expect([1, 2, 3].map((n) => queue.push('a', n))).toEqual([true, true, false]);
    expect(queue.push('b', 1)).toBe(true);
    expect(queue.size).toBe(3);
    queue.take();
    expect(queue.push('a', 3)).toBe(true);
  });
});
