import type { NatsConnection } from '@nats-io/transport-node';
import { BatchPublisher } from './batch-publisher.js';
import { publishBatches } from './batches.js';

interface Sent {
  v: number;
  expires_at: number;
  items: unknown[];
}

function recorder() {
  const sent: Sent[] = [];
  const nc = {
    publish: (_subject: string, text: string) => void sent.push(JSON.parse(text) as Sent),
  } as unknown as NatsConnection;
  return { sent, nc, sizes: () => sent.map((batch) => batch.items.length) };
}
const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the batch publisher', () => {
  it('sends a lone item at once', () => {
    const { nc, sizes } = recorder();
    new BatchPublisher(nc, 's').add({ n: 1 });
    expect(sizes()).toEqual([1]);
  });

  it('collects the items of one turn while a batch is under way', async () => {
    const { nc, sizes } = recorder();
    const publisher = new BatchPublisher<number>(nc, 's', { window: 2 });
    for (let n = 0; n < 10; n++) publisher.add(n);
    await endOfTurn();
    expect(sizes()).toEqual([1, 9]);
  });

  it('waits while the window is full and goes on when the oldest batch has returned', async () => {
    const { nc, sizes } = recorder();
    const publisher = new BatchPublisher<number>(nc, 's', { window: 2 });
    publisher.add(0);
    publisher.add(1);
    publisher.add(2);
    await endOfTurn();
    publisher.add(3);
    await endOfTurn();
    expect(sizes()).toEqual([1, 2]);
    publisher.returned(1);
    await endOfTurn();
    expect(sizes()).toEqual([1, 2, 1]);
    publisher.add(4);
    publisher.returned(1);
    await endOfTurn();
    expect(sizes()).toEqual([1, 2, 1]);
    publisher.returned(1);
    await endOfTurn();
    expect(sizes()).toEqual([1, 2, 1, 1]);
  });

  it('cuts messages at 128 items and at 512 KiB', async () => {
    const { nc, sent, sizes } = recorder();
    const publisher = new BatchPublisher<unknown>(nc, 's', { window: 10 });
    publisher.add('first');
    for (let n = 0; n < 200; n++) publisher.add(n);
    for (let n = 0; n < 3; n++) publisher.add('x'.repeat(250 * 1024));
    await endOfTurn();
    expect(sizes()).toEqual([1, 128, 74, 1]);
    expect(sent.every((batch) => JSON.stringify(batch).length < 600 * 1024)).toBe(true);
  });

  it('refuses when too many wait', () => {
    const { nc } = recorder();
    const publisher = new BatchPublisher<number>(nc, 's', { window: 1, maxQueued: 2 });
    publisher.add(0);
    publisher.add(1);
    publisher.add(2);
    expect(() => publisher.add(3)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  });

  it('gives each lane its own window and its own limit', async () => {
    const { nc, sent } = recorder();
    const publisher = new BatchPublisher<string>(nc, 's', { window: 1, maxQueued: 2 });
    for (const item of ['a1', 'a2', 'a3']) publisher.add(item, 'a');
    expect(() => publisher.add('a4', 'a')).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    publisher.add('b1', 'b');
    await endOfTurn();
    expect(sent.map(({ items }) => items)).toEqual([['a1'], ['b1']]);
    publisher.returned(1, 'b');
    publisher.add('b2', 'b');
    await endOfTurn();
    publisher.returned(1, 'a');
    await endOfTurn();
    expect(sent.slice(2).map(({ items }) => items)).toEqual([['b2'], ['a2', 'a3']]);
  });

  it('fills a message with an item of each lane in turn', async () => {
    const { nc, sent } = recorder();
    const publisher = new BatchPublisher<string>(nc, 's');
    publisher.add('first', 'x');
    for (let n = 0; n < 200; n++) publisher.add(`a${String(n)}`, 'a');
    publisher.add('b0', 'b');
    publisher.add('b1', 'b');
    await endOfTurn();
    expect(sent[1]?.items.slice(0, 5)).toEqual(['a0', 'b0', 'a1', 'b1', 'a2']);
    expect(sent.map(({ items }) => items.length)).toEqual([1, 128, 74]);
  });

  it('refuses while the waiting items are too large, until they are sent', async () => {
    const { nc } = recorder();
    const publisher = new BatchPublisher<string>(nc, 's', { window: 1, maxQueuedBytes: 1_000 });
    publisher.add('on its way');
    publisher.add('x'.repeat(600));
    publisher.add('x'.repeat(600));
    expect(() => publisher.add('x')).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    publisher.returned(1);
    await endOfTurn();
    publisher.add('x');
  });

  it('does not count dropped items', () => {
    const { nc } = recorder();
    const publisher = new BatchPublisher<string>(nc, 's', { window: 1, maxQueuedBytes: 1_000 });
    const { now } = Date;
    try {
      publisher.add('on its way');
      for (let turn = 1; turn <= 3; turn++) {
        publisher.add('x'.repeat(600));
        publisher.add('x'.repeat(600));
        Date.now = () => now() + turn * 10_000;
        // Refused once; the expired items then make room for the next one.
        expect(() => publisher.add('x')).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
      }
    } finally {
      Date.now = now;
    }
  });

  it('gives a batch the time limit of its oldest item', () => {
    const { nc, sent } = recorder();
    const before = Date.now();
    new BatchPublisher(nc, 's', { lifetimeMs: 500 }).add(1);
    expect(sent[0]?.expires_at).toBeGreaterThanOrEqual(before + 500);
    expect(sent[0]?.expires_at).toBeLessThanOrEqual(Date.now() + 500);
  });

  it('does not send expired items', async () => {
    const { nc, sizes } = recorder();
    const publisher = new BatchPublisher<number>(nc, 's', { window: 1, lifetimeMs: 0 });
    publisher.add(0);
    publisher.returned(1);
    await endOfTurn();
    expect(sizes()).toEqual([]);
  });

  describe('when publishing fails', () => {
    function breaking() {
      const { nc: working, sizes } = recorder();
      const state = { broken: false };
      const nc = {
        publish: (subject: string, text: string) => {
          if (state.broken) throw new Error('the connection is closed');
          working.publish(subject, text);
        },
      } as unknown as NatsConnection;
      return { state, nc, sizes };
    }

    it('throws to the caller of a lone item, releases its place, and never sends the item', async () => {
      const { state, nc, sizes } = breaking();
      const publisher = new BatchPublisher<number>(nc, 's', { window: 2 });
      state.broken = true;
      for (let n = 0; n < 5; n++) expect(() => publisher.add(n)).toThrow('NATS does not take messages');
      state.broken = false;
      publisher.add(5);
      publisher.add(6);
      await endOfTurn();
      expect(sizes()).toEqual([1, 1]);
    });

    it('keeps the collected items, and sends them with the next ones', async () => {
      const { state, nc, sizes } = breaking();
      const publisher = new BatchPublisher<number>(nc, 's', { window: 2 });
      publisher.add(0);
      state.broken = true;
      publisher.add(1);
      publisher.add(2);
      await endOfTurn();
      expect(sizes()).toEqual([1]);
      state.broken = false;
      publisher.add(3);
      await endOfTurn();
      expect(sizes()).toEqual([1, 3]);
      publisher.returned(1);
      publisher.add(4);
      await endOfTurn();
      expect(sizes()).toEqual([1, 3, 1]);
    });
  });
});

describe('publishBatches', () => {
  it('keeps the order and the time limit over several messages', () => {
    const { nc, sent, sizes } = recorder();
    publishBatches(
      nc,
      's',
      77,
      Array.from({ length: 300 }, (_, n) => n),
    );
    expect(sizes()).toEqual([128, 128, 44]);
    expect(sent.flatMap((batch) => batch.items)).toEqual(Array.from({ length: 300 }, (_, n) => n));
    expect(sent.every((batch) => batch.v === 1 && batch.expires_at === 77)).toBe(true);
  });

  it('leaves the time limit out where there is none', () => {
    const { nc, sent } = recorder();
    publishBatches(nc, 's', null, [1]);
    expect(sent).toEqual([{ v: 1, items: [1] }]);
  });

  it('publishes nothing for no items', () => {
    const { nc, sent } = recorder();
    publishBatches(nc, 's', 77, []);
    expect(sent).toEqual([]);
  });
});
