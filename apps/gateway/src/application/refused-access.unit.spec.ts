import { createLogger } from '@agentlattice/observability';
import { jest } from '@jest/globals';
import { RefusedAccess, type RefusedCall } from './refused-access.js';

const call = (key_id = 'key_1', route = 'createPolicy', orgId = 'org_1'): RefusedCall => ({
  orgId,
  meta: { actor: null, correlation_id: 'req_1', traceparent: null },
  type: 'access.refused',
  facts: { key_id, session_id: null, kind: 'operator', agent: null, route },
});

describe('refused access', () => {
  const written: unknown[] = [];
  /** The workspaces of the entries of each transaction. */
  const commits: string[][] = [];
  let open = 0;
  let mostOpen = 0;
  let fails = false;
  let holds = false;
  /** Ends held transactions, oldest first. */
  const held: (() => void)[] = [];
  let refused: RefusedAccess;
  beforeEach(() => {
    jest.useFakeTimers();
    written.length = 0;
    commits.length = 0;
    held.length = 0;
    open = mostOpen = 0;
    fails = false;
    holds = false;
    const store = {
      inTransaction: async (work: (tx: string[]) => Promise<void>) => {
        if (fails) throw new Error('the database is away');
        mostOpen = Math.max(mostOpen, ++open);
        if (holds) await new Promise<void>((resolve) => held.push(resolve));
        const entries: string[] = [];
        await work(entries);
        commits.push(entries);
        open--;
      },
      begin: (
        tx: string[],
        org: string,
        _meta: unknown,
        [stream]: readonly { events: readonly { data: unknown }[] }[],
      ) => {
        tx.push(org);
        written.push(stream?.events[0]?.data);
        return Promise.resolve(new Date());
      },
    };
    refused = new RefusedAccess(store as never, createLogger('test', 'silent'));
  });
  afterEach(async () => {
    holds = false;
    for (const release of held) release();
    await refused.stop();
    jest.useRealTimers();
  });
  const counts = () => written.map((data) => (data as { count: number }).count);
  const minute = () => jest.advanceTimersByTimeAsync(60_000);

  it('is written at once; calls that follow within the minute are written as one entry', async () => {
    for (let i = 0; i < 1_000; i++) void refused.note(call());
    await jest.advanceTimersByTimeAsync(0);
    expect(written).toEqual([{ ...call().facts, count: 1 }]);
    await minute();
    expect(counts()).toEqual([1, 999]);
    // The first call of the next minute is written at once, too.
    for (let i = 0; i < 5; i++) void refused.note(call());
    await jest.advanceTimersByTimeAsync(0);
    expect(counts()).toEqual([1, 999, 1]);
    await minute();
    expect(counts()).toEqual([1, 999, 1, 4]);
  });

  it('makes at most two entries a minute for a key that calls without end', async () => {
    const minutes = 10;
    for (let second = 0; second < minutes * 60; second++) {
      for (let i = 0; i < 10; i++) void refused.note(call());
      await jest.advanceTimersByTimeAsync(1_000);
    }
    await refused.stop();
    expect(counts().length).toBeLessThanOrEqual(2 * minutes);
    expect(counts().reduce((sum, count) => sum + count, 0)).toBe(minutes * 60 * 10);
  });

  const watched = (promise: Promise<void>) => {
    const state = { settled: false };
    void promise.then(() => (state.settled = true));
    return state;
  };
  const passes = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  it('resolves when it is on disk, at the latest after its time limit', async () => {
    await refused.note(call());
    expect(counts()).toEqual([1]);
    holds = true;
    const late = watched(refused.note(call('key_2')));
    await passes(999);
    expect(late.settled).toBe(false);
    await passes(1);
    expect(late.settled).toBe(true);
    held.shift()?.();
  });

  it('lets a counted call wait for the entry of the first call, and no longer', async () => {
    holds = true;
    const first = watched(refused.note(call()));
    const second = watched(refused.note(call()));
    await passes(0);
    expect([first.settled, second.settled]).toEqual([false, false]);
    held.shift()?.();
    await passes(0);
    expect([first.settled, second.settled]).toEqual([true, true]);
    const third = watched(refused.note(call()));
    await passes(0);
    expect(third.settled).toBe(true);
    expect(counts()).toEqual([1]);
    holds = false;
  });

  it('waits for nothing of another workspace', async () => {
    holds = true;
    const theirs = Array.from({ length: 40 }, (_, i) => watched(refused.note(call(`key_${String(i)}`))));
    await passes(0);
    holds = false;
    const own = watched(refused.note(call('key_own', 'createPolicy', 'org_2')));
    await passes(0);
    expect(own.settled).toBe(true);
    expect(commits).toEqual([['org_2']]);
    expect(theirs.some(({ settled }) => settled)).toBe(false);
    held.shift()?.();
    await passes(0);
    expect(theirs.every(({ settled }) => settled)).toBe(true);
  });

  it('writes up to 64 entries that gather during a write of the workspace in one transaction, on one connection', async () => {
    holds = true;
    for (let i = 0; i < 101; i++) void refused.note(call(`key_${String(i)}`));
    await passes(0);
    expect(held).toHaveLength(1);
    holds = false;
    held.shift()?.();
    await passes(0);
    expect(commits.map((entries) => entries.length)).toEqual([1, 64, 36]);
    expect(counts()).toEqual(Array.from({ length: 101 }, () => 1));
    expect(mostOpen).toBe(1);
  });

  it('counts every call of a failed transaction with the following calls', async () => {
    fails = true;
    for (let i = 0; i < 40; i++) void refused.note(call(`key_${String(i)}`));
    await passes(0);
    expect(written).toEqual([]);
    fails = false;
    await minute();
    expect(counts()).toEqual(Array.from({ length: 40 }, () => 1));
  });

  it('begins anew after a quiet minute', async () => {
    void refused.note(call());
    await minute();
    void refused.note(call());
    await jest.advanceTimersByTimeAsync(0);
    expect(counts()).toEqual([1, 1]);
  });

  it('counts each key and each route by itself', async () => {
    for (const each of [call(), call('key_2'), call('key_1', 'createKey'), call()]) void refused.note(each);
    await jest.advanceTimersByTimeAsync(0);
    expect(counts()).toEqual([1, 1, 1]);
  });

  it('writes its counts when it stops, also those of calls that could not be written before', async () => {
    fails = true;
    void refused.note(call());
    await jest.advanceTimersByTimeAsync(0);
    fails = false;
    void refused.note(call());
    void refused.note(call());
    await refused.stop();
    expect(counts()).toEqual([3]);
  });
});
