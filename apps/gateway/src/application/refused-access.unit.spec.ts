import { createLogger } from '@agentlattice/observability';
import { jest } from '@jest/globals';
import { RefusedAccess, type RefusedCall } from './refused-access.js';

const call = (key_id = 'key_1', route = 'createPolicy'): RefusedCall => ({
  orgId: 'org_1',
  meta: { actor: null, correlation_id: 'req_1', traceparent: null },
  facts: { key_id, kind: 'operator', agent: null, route },
});

describe('refused access', () => {
  const written: unknown[] = [];
  let fails = false;
  let holds = false;
  let release: () => void = () => undefined;
  let refused: RefusedAccess;
  beforeEach(() => {
    jest.useFakeTimers();
    written.length = 0;
    fails = false;
    holds = false;
    const store = {
      inTransaction: <T>(work: (tx: never) => Promise<T>) =>
        fails
          ? Promise.reject(new Error('the database is away'))
          : holds
            ? new Promise<void>((resolve) => (release = resolve)).then(() => work(undefined as never))
            : work(undefined as never),
      begin: (
        _tx: unknown,
        _org: string,
        _meta: unknown,
        [stream]: readonly { events: readonly { data: unknown }[] }[],
      ) => {
        written.push(stream?.events[0]?.data);
        return Promise.resolve(new Date());
      },
    };
    refused = new RefusedAccess(store as never, createLogger('test', 'silent'));
  });
  afterEach(async () => {
    await refused.stop();
    jest.useRealTimers();
  });
  const counts = () => written.map((data) => (data as { count: number }).count);
  const minute = () => jest.advanceTimersByTimeAsync(60_000);

  it('is written at once, and what follows within the minute as one', async () => {
    for (let i = 0; i < 1_000; i++) refused.note(call());
    await jest.advanceTimersByTimeAsync(0);
    expect(written).toEqual([{ ...call().facts, count: 1 }]);
    await minute();
    expect(counts()).toEqual([1, 999]);
    // What comes in the next minute is seen at once, too.
    for (let i = 0; i < 5; i++) refused.note(call());
    await jest.advanceTimersByTimeAsync(0);
    expect(counts()).toEqual([1, 999, 1]);
    await minute();
    expect(counts()).toEqual([1, 999, 1, 4]);
  });

  it('makes two entries a minute at most of a key that asks without end', async () => {
    const minutes = 10;
    for (let second = 0; second < minutes * 60; second++) {
      for (let i = 0; i < 10; i++) refused.note(call());
      await jest.advanceTimersByTimeAsync(1_000);
    }
    await refused.stop();
    expect(counts().length).toBeLessThanOrEqual(2 * minutes);
    expect(counts().reduce((sum, count) => sum + count, 0)).toBe(minutes * 60 * 10);
  });

  it('says when it is on disk, and waits no longer than it may', async () => {
    expect(refused.written()).toBeNull();
    refused.note(call());
    await refused.written();
    expect(counts()).toEqual([1]);
    expect(refused.written()).toBeNull();
    holds = true;
    refused.note(call('key_2'));
    let waited = false;
    void refused.written()?.then(() => (waited = true));
    await jest.advanceTimersByTimeAsync(999);
    expect(waited).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(waited).toBe(true);
    release();
  });

  it('begins anew after a quiet minute', async () => {
    refused.note(call());
    await minute();
    refused.note(call());
    await jest.advanceTimersByTimeAsync(0);
    expect(counts()).toEqual([1, 1]);
  });

  it('counts each key and each route by itself', async () => {
    for (const each of [call(), call('key_2'), call('key_1', 'createKey'), call()]) refused.note(each);
    await jest.advanceTimersByTimeAsync(0);
    expect(counts()).toEqual([1, 1, 1]);
  });

  it('writes what it counted when it stops, and makes up for what it could not write', async () => {
    fails = true;
    refused.note(call());
    await jest.advanceTimersByTimeAsync(0);
    fails = false;
    refused.note(call());
    refused.note(call());
    await refused.stop();
    expect(counts()).toEqual([3]);
  });
});
