import fc from 'fast-check';
import { SteppedClock } from '../../test/stepped-clock.js';
import { PacedRuns, pauseAfter } from './paced-runs.js';

it.each([
  [0, 0],
  [10, 30],
  [9_999, 29_997],
  [10_000, 30_000],
  [60_000, 30_000],
  [-1, 0],
])('after a run of %d ms there is a pause of %d ms', (took, pause) => expect(pauseAfter(took)).toBe(pause));

describe('paced runs', () => {
  let clock: SteppedClock;
  let began: { key: string; at: number }[];
  let state: string;
  let takes: number;
  let open: number;
  let mostOpen: number;
  let runs: PacedRuns<string>;
  beforeEach(() => {
    clock = new SteppedClock();
    began = [];
    state = 'before';
    takes = 100;
    open = mostOpen = 0;
    runs = new PacedRuns(async (key) => {
      began.push({ key, at: clock.now() });
      mostOpen = Math.max(mostOpen, ++open);
      const seen = state;
      await clock.after(takes);
      open--;
      if (seen === 'unreachable') throw new Error(seen);
      return `${key} ${seen}`;
    }, clock);
  });

  it('are one at a time, and pause three times as long as a run, for all keys together', async () => {
    const all = Promise.all(['a', 'b', 'c'].map((key) => runs.next(key)));
    await clock.pass(1_000);
    expect(await all).toEqual(['a before', 'b before', 'c before']);
    expect(began).toEqual([
      { key: 'a', at: 0 },
      { key: 'b', at: 400 },
      { key: 'c', at: 800 },
    ]);
    expect(mostOpen).toBe(1);
  });

  it('begin at once after a long idle time', async () => {
    void runs.next('a');
    await clock.pass(5_000);
    void runs.next('b');
    await clock.pass(0);
    expect(began.at(-1)).toEqual({ key: 'b', at: 5_000 });
  });

  it('pause for 30 s at most', async () => {
    takes = 60_000;
    void runs.next('a');
    void runs.next('b');
    await clock.pass(89_999);
    expect(began).toHaveLength(1);
    await clock.pass(1);
    expect(began).toHaveLength(2);
  });

  it('are shared by waiting callers, and see the changes before their calls', async () => {
    const first = runs.next('a');
    await clock.pass(50);
    state = 'after';
    const asked = Array.from({ length: 10 }, () => runs.next('a'));
    const near = runs.nearest('a');
    await clock.pass(1_000);
    expect(await first).toBe('a before');
    expect(await near).toBe('a before');
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['a after']));
    expect(began).toHaveLength(2);
  });

  it('that fail reject the waiting callers, count like others and do not stop the next', async () => {
    state = 'unreachable';
    const first = runs.next('a').catch((error: unknown) => error);
    await clock.pass(100);
    expect(await first).toEqual(new Error('unreachable'));
    state = 'back';
    const second = runs.next('a');
    await clock.pass(299);
    expect(began).toHaveLength(1);
    await clock.pass(101);
    expect(await second).toBe('a back');
    expect(began.at(-1)?.at).toBe(400);
  });

  it('take a quarter of the time at most, however often they are requested', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(lengths, async (each) => {
        const time = new SteppedClock();
        let busy = 0;
        const paced = new PacedRuns(async (key) => {
          const took = each[Number(key)] ?? 0;
          await time.after(took);
          busy += took;
        }, time);
        // Each asks again as soon as it has its answer.
        const loop = async (key: string): Promise<void> => {
          await paced.next(key);
          void loop(key);
        };
        for (const key of each.keys()) void loop(String(key));
        const total = 500_000;
        await time.pass(total);
        // The pause after the last run may end later.
        expect(busy).toBeLessThanOrEqual(total / 4 + 10_000);
        expect(busy).toBeGreaterThan(0);
      }),
      { numRuns: 20 },
    );
  });
});
