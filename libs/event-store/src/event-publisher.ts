import { setTimeout as sleep } from 'node:timers/promises';
import { eventSubject, type WireEvent } from '@agentlattice/contracts';
import { eventStreamAgeMs, type EventStreamState } from '@agentlattice/messaging';
import { type Logger, recordSpan } from '@agentlattice/observability';
import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { Gathering } from './gathering.js';
import { untilMultipleOf } from './until-multiple-of.js';

const onNats = { 'messaging.system': 'nats' };

/** Up to which number a service's events are published, and to which incarnation of the stream. */
export interface PublishedPosition {
  readonly incarnation: string | null;
  readonly gpos: number;
}

/** Reads committed events, and stores up to which number they are published. */
export interface EventSource {
  position(): Promise<PublishedPosition>;
  /** Need not wait for the disk: if it is lost, some events are published again, which their readers expect. */
  savePosition(position: PublishedPosition): Promise<void>;
  /** The events with the next numbers, ascending. */
  after(gpos: number, limit: number): Promise<readonly WireEvent[]>;
  /** The number before the oldest event that is not older than `ageMs`; null when there is none. */
  beforeAge(ageMs: number): Promise<number | null>;
}

export interface EventPublisherOptions {
  readonly nc: NatsConnection;
  readonly source: EventSource;
  readonly logger: Logger;
  /** The event stream; null while there is none. */
  readonly stream: () => Promise<EventStreamState | null>;
  /** Whether messages keep the order of the numbers; else each holds as many events of its subject as fit. */
  readonly inOrder: boolean;
  /** The pause between two polls; default 1 s, up to eight times that while there are no events. */
  readonly pollMs?: number | undefined;
}

const pageSize = 1_000;
/** While nothing is found, each pause is twice as long as the last, up to this multiple of the first. */
const idlePauses = 8;
/** How many unpublished events are kept in memory; further ones are read from the source. */
const maxRemembered = 4_096;
const messageLimits = { events: 128, bytes: 256 * 1024 } as const;
const restartAfterMs = 500;

/** Runs `turn` again and again, half a second after it ended or failed, until the signal is aborted. */
export async function untilAborted(
  signal: AbortSignal,
  turn: () => Promise<void>,
  onFailure: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await turn();
    } catch (error) {
      if (!signal.aborted) onFailure(error);
    }
    await pause(restartAfterMs, signal);
  }
}

/**
 * Publishes committed events to JetStream in the order of their numbers: offered events from memory, others from their
 * source. The acknowledged position is stored; after a crash the events after it are published again, and after a loss of the
 * stream those of the last 72 h.
 */
export class EventPublisher {
  private readonly js: JetStreamClient;
  private readonly gathering = new Gathering();
  /** Committed by this process, not yet published, in ascending order. */
  private recent: WireEvent[] = [];
  /** The source may have events that `recent` does not have. */
  private unread = true;
  private published = 0;
  private incarnation: string | null = null;
  private lastSequence = 0;
  private readonly pollMs: number;
  /** The pause until the next poll. */
  private pauseMs: number;
  /** The stream may have been replaced. */
  private reconnected = false;
  private wake: () => void = () => {};

  constructor(private readonly options: EventPublisherOptions) {
    this.js = jetstream(options.nc, { timeout: 3_000 });
    this.pollMs = options.pollMs ?? 1_000;
    this.pauseMs = this.pollMs;
  }

  /** Takes events just committed. */
  offer(events: readonly WireEvent[]): void {
    this.recent.push(...events);
    // Listeners may get two commits in the wrong order.
    this.recent.sort((a, b) => a.gpos - b.gpos);
    if (this.recent.length > maxRemembered) {
      this.recent = [];
      this.unread = true;
    }
    this.wake();
  }

  /** The source has events that were not offered. */
  noteUnread(): void {
    this.unread = true;
    this.wake();
  }

  /** When the connection was lost, the stream may have been lost too. */
  noteReconnect(): void {
    this.reconnected = true;
    this.wake();
  }

  /**
   * Publishes until the signal is aborted. @throws when the source or the stream fails; a new publisher must then be started
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.wake();
    signal.addEventListener('abort', stop, { once: true });
    try {
      ({ gpos: this.published, incarnation: this.incarnation } = await this.options.source.position());
      let checkedAt = Number.NEGATIVE_INFINITY;
      while (!signal.aborted) {
        const woken = this.nextWake();
        if (this.reconnected || performance.now() - checkedAt >= this.pollMs) {
          this.reconnected = false;
          await this.followStream();
          checkedAt = performance.now();
          this.unread = true;
        }
        const before = this.published;
        await this.publish(signal);
        const told = await woken;
        const quiet = !told && this.published === before;
        this.pauseMs = quiet ? Math.min(this.pauseMs * 2, this.pollMs * idlePauses) : this.pollMs;
        await this.gathering.next(signal);
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /**
   * Resolves when events were committed, the stream may have changed, the pause is over, or the signal is aborted.
   * @returns whether it was woken
   */
  private nextWake(): Promise<boolean> {
    const longest = this.pollMs * idlePauses;
    const restMs = this.pauseMs === longest ? untilMultipleOf(longest) : this.pauseMs;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), restMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  /**
   * A new stream has none of our events: those of the last 72 h are published again.
   * @returns whether it is another one
   */
  private async followStream(): Promise<boolean> {
    const { source, logger } = this.options;
    const stream = await this.options.stream();
    if (stream === null || stream.incarnation === this.incarnation) return false;
    if (this.incarnation !== null) {
      const from = await source.beforeAge(eventStreamAgeMs);
      if (from !== null) this.published = Math.min(this.published, from);
      logger.warn(
        { from: this.published },
        'the event stream is a new one: recent events are published again',
      );
    }
    this.incarnation = stream.incarnation;
    this.lastSequence = 0;
    await this.savePosition();
    return true;
  }

  private async publish(signal: AbortSignal): Promise<void> {
    if (this.incarnation === null) return;
    while (!signal.aborted) {
      const { events, more } = await this.next();
      const last = events.at(-1);
      if (last === undefined) return;
      const startedAt = performance.now();
      const acks = await Promise.all(
        messagesOf(events, this.options.inOrder).map((message) => this.send(message)),
      );
      // Sequence numbers that decreased mean that the stream was replaced.
      if (Math.max(...acks) < this.lastSequence && (await this.followStream())) continue;
      this.lastSequence = Math.max(this.lastSequence, ...acks);
      this.published = last.gpos;
      for (const { type, traceparent } of events)
        recordSpan(`publish ${type}`, { traceparent, kind: 'producer', attributes: onNats, startedAt });
      this.gathering.ended();
      await this.savePosition();
      // Events that were offered meanwhile are collected for the next round.
      if (!more) return;
    }
  }

  /**
   * The events to publish next: from memory if none is missing before them, otherwise from the source.
   * @returns them, and whether there may be more
   */
  private async next(): Promise<{ readonly events: readonly WireEvent[]; readonly more: boolean }> {
    const start = this.recent.findIndex(({ gpos }) => gpos > this.published);
    this.recent = start === -1 ? [] : this.recent.slice(start);
    const gap = this.recent.findIndex(({ gpos }, i) => gpos !== this.published + i + 1);
    const known = this.recent.slice(0, Math.min(gap === -1 ? this.recent.length : gap, pageSize));
    if (known.length > 0) return { events: known, more: this.unread || known.length < this.recent.length };
    if (!this.unread && this.recent.length === 0) return { events: [], more: false };
    this.unread = false;
    const events = await this.options.source.after(this.published, pageSize);
    if (events.length > 0) this.unread = true;
    return { events, more: events.length > 0 };
  }

  private async send({ subject, firstId, texts }: EventMessage): Promise<number> {
    const { seq } = await this.js.publish(subject, `{"events":[${texts.join(',')}]}`, {
      msgID: `${firstId}-${String(texts.length)}`,
      timeout: 3_000,
    });
    return seq;
  }

  private async savePosition(): Promise<void> {
    await this.options.source.savePosition({ incarnation: this.incarnation, gpos: this.published });
  }
}

interface EventMessage {
  readonly subject: string;
  readonly firstId: string;
  /** Each event's JSON, written once. */
  readonly texts: string[];
}

/**
 * Each message has one subject and stays within the limits. Where messages do not keep the order, readers restore it by
 * `gpos`.
 */
function messagesOf(events: readonly WireEvent[], inOrder: boolean): EventMessage[] {
  /** The messages that still take events, by subject. */
  const open = new Map<string, { message: EventMessage; bytes: number }>();
  const messages: EventMessage[] = [];
  for (const event of events) {
    const subject = eventSubject(event.org_id, event.type);
    const text = JSON.stringify(event);
    const size = Buffer.byteLength(text);
    let last = open.get(subject);
    if (
      last === undefined ||
      last.message.texts.length >= messageLimits.events ||
      last.bytes + size > messageLimits.bytes
    ) {
      last = { message: { subject, firstId: event.event_id, texts: [] }, bytes: 0 };
      if (inOrder) open.clear();
      open.set(subject, last);
      messages.push(last.message);
    }
    last.message.texts.push(text);
    last.bytes += size;
  }
  return messages;
}

const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => {});
