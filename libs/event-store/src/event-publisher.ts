import { setTimeout as sleep } from 'node:timers/promises';
import { eventSubject, type WireEvent } from '@agentlattice/contracts';
import { eventStreamAgeMs, type EventStreamState } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { Gathering } from './gathering.js';
import { untilMultipleOf } from './until-multiple-of.js';

/** How far a service's events are published, and to which life of the stream. */
export interface PublishedPosition {
  readonly incarnation: string | null;
  readonly gpos: number;
}

/** Where committed events are read from, and where it is kept how far they are published. */
export interface EventSource {
  position(): Promise<PublishedPosition>;
  /** Losing it costs some events a second delivery, which their readers expect: it need not wait for the disk. */
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
  /** How often it looks without being woken; default 1 s, and up to eight times that while there is nothing. */
  readonly pollMs?: number | undefined;
}

const pageSize = 1_000;
/** While nothing is found, each pause before the next look is twice as long as the last, up to so many of the first. */
const idlePauses = 8;
/** How many events are kept in memory until they are published; beyond that they are read from the source. */
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
 * Publishes committed events to JetStream in the order of their numbers: those it is offered from memory, the others from
 * their source. What was acknowledged is remembered; after a crash the rest is published again, and after a loss of the
 * stream the last 72 h are.
 */
export class EventPublisher {
  private readonly js: JetStreamClient;
  private readonly gathering = new Gathering();
  /** Committed by this process, not yet published, in ascending order. */
  private recent: WireEvent[] = [];
  /** The source may hold what `recent` does not. */
  private unread = true;
  private published = 0;
  private incarnation: string | null = null;
  private lastSequence = 0;
  private readonly pollMs: number;
  /** The pause until it looks without being woken. */
  private pauseMs: number;
  /** The stream may be another one than a moment ago. */
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
    // Two commits may be told in another order than they took place in.
    this.recent.sort((a, b) => a.gpos - b.gpos);
    if (this.recent.length > maxRemembered) {
      this.recent = [];
      this.unread = true;
    }
    this.wake();
  }

  /** The source holds events that were not offered. */
  noteUnread(): void {
    this.unread = true;
    this.wake();
  }

  /** Where the connection was lost the stream may have been as well. */
  noteReconnect(): void {
    this.reconnected = true;
    this.wake();
  }

  /** Publishes until the signal is aborted. @throws when the source or the stream fails; a new publisher then begins anew */
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
   * Resolves when events were committed, the stream may have changed, the pause is over, or we stop.
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
   * A stream that is not the one we published to holds none of our events: those it is to hold are published again.
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
      const acks = await Promise.all(
        messagesOf(events, this.options.inOrder).map((message) => this.send(message)),
      );
      // Numbers that went back mean another stream than a moment ago.
      if (Math.max(...acks) < this.lastSequence && (await this.followStream())) continue;
      this.lastSequence = Math.max(this.lastSequence, ...acks);
      this.published = last.gpos;
      this.gathering.ended();
      await this.savePosition();
      // Events offered meanwhile have woken us: they gather for the next round.
      if (!more) return;
    }
  }

  /**
   * The events to publish next: from memory where none is missing before them, else from the source.
   * @returns with it whether there may be more now
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

/** One subject a message, within its limits. Readers of messages that do not keep the order restore it by `gpos`. */
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
