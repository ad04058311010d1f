import { Unavailable } from '@agentlattice/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { batchLimits, publishBatch } from './batches.js';

export interface BatchPublisherOptions {
  /** How many batches of a lane may be under way; default 2. */
  readonly window?: number;
  /** How long an item may still be written after it was added; default 1.8 s. */
  readonly lifetimeMs?: number;
  /** The most items and bytes that wait in one lane; an item may be 256 KiB, so the bytes must be limited too. */
  readonly maxQueued?: number;
  readonly maxQueuedBytes?: number;
  readonly maxWaitMs?: number;
}

/** An item that was added. */
export interface Added {
  /** Monotonic; null while it waits in its lane. */
  readonly sentAt: number | null;
}

interface Queued extends Added {
  readonly text: string;
  readonly bytes: number;
  readonly addedAt: number;
  sentAt: number | null;
}

interface Lane {
  queue: Queued[];
  bytes: number;
  /** Unanswered items of each batch, oldest first. */
  readonly underWay: number[];
}

/**
 * Collects items for one subject without timers: when no batch is under way, an item is sent at once; otherwise the collected
 * items are sent at the end of the turn, or when a batch was answered. Each workspace has a lane with its own window and
 * limit: a full lane delays only itself. Lanes that are ready share messages.
 */
export class BatchPublisher<T> {
  private readonly lanes = new Map<string, Lane>();
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
      maxQueued = 2_500,
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

  /**
   * @param lifeBegan when its lifetime began, for an item that waited before it was added
   * @throws Unavailable when too much waits in the lane or has waited too long, or NATS cannot be published to
   */
  add(item: T, name = '', lifeBegan = Date.now()): Added {
    const now = Date.now();
    const lane = this.lanes.get(name) ?? { queue: [], bytes: 0, underWay: [] };
    const oldest = lane.queue[0]?.addedAt ?? now;
    const full = lane.queue.length >= this.maxQueued || lane.bytes >= this.maxQueuedBytes;
    if (full || now - oldest > this.maxWaitMs) {
      this.dropExpired(lane, now);
      throw new Unavailable('too many actions of this workspace are waiting');
    }
    const text = JSON.stringify(item);
    const bytes = Buffer.byteLength(text);
    const added: Queued = { text, bytes, addedAt: lifeBegan, sentAt: null };
    lane.queue.push(added);
    lane.bytes += bytes;
    const idle = this.lanes.size === 0;
    this.lanes.set(name, lane);
    if (idle) this.sendAlone(name, lane);
    else if (this.isReady(lane)) this.schedule();
    return added;
  }

  /** Reports that `count` items of a lane were answered or given up: a batch is finished when all of its items are. */
  returned(count: number, name = ''): void {
    const lane = this.lanes.get(name);
    if (lane === undefined) return;
    let left = count;
    for (let first = lane.underWay[0]; first !== undefined && left > 0; first = lane.underWay[0]) {
      const taken = Math.min(first, left);
      left -= taken;
      if (taken === first) lane.underWay.shift();
      else lane.underWay[0] = first - taken;
    }
    if (this.isReady(lane)) this.schedule();
    else this.forgetIfEmpty(name, lane);
  }

  private isReady(lane: Lane): boolean {
    return lane.queue.length > 0 && lane.underWay.length < this.window;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      try {
        while (this.send());
      } catch {
        // Nothing was sent. The items wait for the next try, or expire when their callers have timed out.
      }
    });
  }

  /** It is the only item: its caller gets the error at once, so it must not be sent later. */
  private sendAlone(name: string, lane: Lane): void {
    try {
      this.send();
    } catch {
      lane.queue = [];
      lane.bytes = 0;
      this.forgetIfEmpty(name, lane);
      throw new Unavailable('NATS does not take messages');
    }
  }

  /**
   * Sends one message of the ready items, one of each lane in turn; false when there is none.
   * @throws the error of publishing; queues and windows are then unchanged
   */
  private send(): boolean {
    const now = Date.now();
    for (const [name, lane] of this.lanes) {
      this.dropExpired(lane, now);
      this.forgetIfEmpty(name, lane);
    }
    const ready = [...this.lanes].filter(([, lane]) => this.isReady(lane));
    const batch: Queued[] = [];
    const taken = new Map<Lane, number>();
    let bytes = 0;
    for (let turn = 0, more = true; more; turn++) {
      more = false;
      for (const [, lane] of ready) {
        const item = lane.queue[turn];
        if (item === undefined || (taken.get(lane) ?? 0) < turn) continue;
        if (batch.length >= batchLimits.items || (batch.length > 0 && bytes + item.bytes > batchLimits.bytes))
          continue;
        batch.push(item);
        bytes += item.bytes;
        taken.set(lane, turn + 1);
        more = true;
      }
    }
    if (batch.length === 0) return false;
    publishBatch(
      this.nc,
      this.subject,
      Math.min(...batch.map((item) => item.addedAt)) + this.lifetimeMs,
      batch.map((item) => item.text),
    );
    const sentAt = performance.now();
    for (const [name, lane] of ready) {
      const count = taken.get(lane) ?? 0;
      if (count === 0) continue;
      for (const item of lane.queue.splice(0, count)) {
        lane.bytes -= item.bytes;
        item.sentAt = sentAt;
      }
      lane.underWay.push(count);
      // The next message begins with the other lanes.
      this.lanes.delete(name);
      this.lanes.set(name, lane);
    }
    return true;
  }

  /** Their callers have already got 503, so they must not be written. */
  private dropExpired(lane: Lane, now: number): void {
    let [first] = lane.queue;
    while (first !== undefined && now >= first.addedAt + this.lifetimeMs) {
      lane.queue.shift();
      lane.bytes -= first.bytes;
      [first] = lane.queue;
    }
  }

  private forgetIfEmpty(name: string, lane: Lane): void {
    if (lane.queue.length === 0 && lane.underWay.length === 0) this.lanes.delete(name);
  }
}
