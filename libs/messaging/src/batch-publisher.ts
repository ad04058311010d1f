import { Unavailable } from '@agentlattice/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { batchLimits, publishBatch } from './batches.js';

export interface BatchPublisherOptions {
  /** How many batches may be under way; default 2. */
  readonly window?: number;
  /** How long an item may still be written after it was added; default 1.8 s. */
  readonly lifetimeMs?: number;
  readonly maxQueued?: number;
  /** Of items that wait, as they are sent; default 8 MiB. An item may be 256 KiB, and ten thousand of those fit in no heap. */
  readonly maxQueuedBytes?: number;
  readonly maxWaitMs?: number;
}

interface Queued {
  readonly text: string;
  readonly bytes: number;
  readonly addedAt: number;
}

/**
 * Collects items for one subject without timers: with nothing under way an item leaves at
 * once; otherwise what gathers leaves at the end of the turn, or when a batch comes back.
 */
export class BatchPublisher<T> {
  private queue: Queued[] = [];
  private queuedBytes = 0;
  /** Items still out, per batch, oldest first. */
  private readonly underWay: number[] = [];
  private scheduled = false;
  private readonly window: number;
  private readonly lifetimeMs: number;
  private readonly maxQueued: number;
  private readonly maxQueuedBytes: number;
  private readonly maxWaitMs: number;

  constructor(
    private readonly nc: NatsConnection,
    private readonly subject: string,
    {
      window = 2,
      lifetimeMs = 1_800,
      maxQueued = 10_000,
      maxQueuedBytes = 8 * 1024 * 1024,
      maxWaitMs = 1_000,
    }: BatchPublisherOptions = {},
  ) {
    this.window = window;
    this.lifetimeMs = lifetimeMs;
    this.maxQueued = maxQueued;
    this.maxQueuedBytes = maxQueuedBytes;
    this.maxWaitMs = maxWaitMs;
  }

  /** @throws Unavailable when too much waits, or has waited for too long */
  add(item: T): void {
    const now = Date.now();
    const oldest = this.queue[0]?.addedAt ?? now;
    const isFull = this.queue.length >= this.maxQueued || this.queuedBytes >= this.maxQueuedBytes;
    if (isFull || now - oldest > this.maxWaitMs) {
      this.dropExpired(now);
      throw new Unavailable('too many actions are waiting');
    }
    const text = JSON.stringify(item);
    const bytes = Buffer.byteLength(text);
    this.queue.push({ text, bytes, addedAt: now });
    this.queuedBytes += bytes;
    if (this.underWay.length === 0) this.send();
    else if (this.underWay.length < this.window) this.schedule();
  }

  /** Says that `count` items were answered or given up: the oldest batch is over when all of its items are. */
  returned(count: number): void {
    let left = count;
    for (let first = this.underWay[0]; first !== undefined && left > 0; first = this.underWay[0]) {
      const taken = Math.min(first, left);
      left -= taken;
      if (taken === first) this.underWay.shift();
      else this.underWay[0] = first - taken;
    }
    if (this.queue.length > 0 && this.underWay.length < this.window) this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      while (this.queue.length > 0 && this.underWay.length < this.window) this.send();
    });
  }

  private send(): void {
    this.dropExpired(Date.now());
    const [first] = this.queue;
    if (first === undefined) return;
    let bytes = 0;
    let count = 0;
    for (const item of this.queue) {
      if (count >= batchLimits.items || (count > 0 && bytes + item.bytes > batchLimits.bytes)) break;
      bytes += item.bytes;
      count++;
    }
    const batch = this.queue.splice(0, count);
    this.queuedBytes -= bytes;
    this.underWay.push(count);
    publishBatch(
      this.nc,
      this.subject,
      first.addedAt + this.lifetimeMs,
      batch.map((item) => item.text),
    );
  }

  /** Nobody waits for these any more; writing them would surprise. */
  private dropExpired(now: number): void {
    const alive = this.queue.findIndex((item) => now < item.addedAt + this.lifetimeMs);
    const dead = this.queue.splice(0, alive === -1 ? this.queue.length : alive);
    for (const { bytes } of dead) this.queuedBytes -= bytes;
  }
}
