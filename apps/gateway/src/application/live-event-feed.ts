import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LiveEvent, WireEvent } from '@agentlattice/contracts';
import type { EventStreamRange, ReadEventStream, StreamedEvents } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import {
  cursorAfter,
  cursorOf,
  cursorText,
  type EventCursor,
  messageOf,
  parseCursor,
} from '../domain/event-cursor.js';
import { LiveEventBacklog } from './live-event-backlog.js';
import {
  type FeedEntry,
  type Listener,
  LiveEventListeners,
  type Subscription,
} from './live-event-listeners.js';

export interface LiveEventFeedPorts {
  readonly range: () => Promise<EventStreamRange>;
  readonly read: (query: ReadEventStream) => Promise<StreamedEvents[]>;
  /** The event as listeners get it; null for one that no listener gets. */
  readonly view: (event: WireEvent) => LiveEvent | null;
  /** Whether the keys of all listeners were checked recently enough; nothing is delivered before that. */
  readonly mayDeliver: () => Promise<boolean>;
  /** Subscribes to notices of these families, instead of the earlier ones; none when there is no listener. */
  readonly follow: (families: readonly string[]) => void;
  readonly logger: Logger;
}

const pageSize = 256;
/** The most events that are sent at once. Connections write only in between, and may close when too much is unwritten. */
const sentAtOnce = 250;
/** A client that reads its missed events for longer is disconnected, because others wait; it goes on from its last id. */
const catchUpWithinMs = 10_000;
/** A notice may come a moment before its message can be read. */
const lookAgainMs = [2, 10, 50, 250] as const;
/** Between two readings when no notice comes: one may be lost. */
const pollEveryMs = 2_000;
/** A deleted stream is made again by another service; its sequence begins again. */
const checkRangeEveryMs = 15_000;

/**
 * Delivers events to all listeners as they are stored. One reader follows the stream by its sequence for all of them, and
 * stops while there is none. A listener that reconnects reads the events that it missed from the stream and then joins the
 * others without a gap.
 */
export class LiveEventFeed {
  private readonly joined = new LiveEventListeners();
  private readonly backlog: LiveEventBacklog;
  private incarnation = '';
  /** The last message that was delivered; undefined while there is no listener. */
  private position: number | undefined;
  private advancing: Promise<void> | undefined;
  private again = false;
  private retries = 0;
  private timer: NodeJS.Timeout | undefined;
  private checkedAt = 0;
  private stopped = false;

  constructor(private readonly ports: LiveEventFeedPorts) {
    this.backlog = new LiveEventBacklog({
      read: ports.read,
      entriesOf: (sequence, events) => this.entriesOf(sequence, events),
    });
  }

  get listeners(): number {
    return this.joined.size;
  }

  /** Every listener has got the events up to here. */
  get cursor(): string {
    return cursorText(this.end);
  }

  /**
   * Delivers events from now on, or after `lastEventId`. Resolves once the listener has caught up.
   * @returns a function that ends the delivery
   * @throws when the stream cannot be read
   */
  async join(listener: Listener, lastEventId: string | undefined): Promise<() => void> {
    const range = await this.begin();
    const joinedAt = this.position ?? range.lastSequence;
    const subscription = this.joined.add(listener, cursorAfter(range.incarnation, joinedAt));
    this.followFamilies();
    try {
      if (lastEventId !== undefined) await this.catchUp(subscription, lastEventId, range, joinedAt);
      this.joined.release(subscription, this.end);
    } catch (error) {
      this.leave(subscription);
      throw error;
    }
    return () => this.leave(subscription);
  }

  /** To be called when an event was stored. */
  notice(): void {
    if (this.joined.size === 0 || this.stopped) return;
    this.retries = 0;
    this.again = true;
    this.advance();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.advancing;
  }

  private get end(): EventCursor {
    return cursorAfter(this.incarnation, this.position ?? 0);
  }

  private async begin(): Promise<EventStreamRange> {
    const range = await this.ports.range();
    if (this.position === undefined) this.startAt(range);
    else if (range.incarnation !== this.incarnation) this.restartAt(range);
    return range;
  }

  private startAt({ incarnation, lastSequence }: EventStreamRange): void {
    this.incarnation = incarnation;
    this.position = lastSequence;
    this.checkedAt = performance.now();
    this.pollLater(pollEveryMs);
  }

  private restartAt(range: EventStreamRange): void {
    this.startAt(range);
    this.joined.resetAll(this.end);
  }

  private leave(subscription: Subscription): void {
    if (!this.joined.remove(subscription)) return;
    this.followFamilies();
    if (this.joined.size > 0) return;
    // Without listeners: the next one begins at the end of the stream.
    this.position = undefined;
    clearTimeout(this.timer);
  }

  private followFamilies(): void {
    this.ports.follow(this.joined.size === 0 ? [] : this.joined.families);
  }

  private async catchUp(
    subscription: Subscription,
    lastEventId: string,
    range: EventStreamRange,
    joinedAt: number,
  ): Promise<void> {
    const cursor = parseCursor(lastEventId);
    if (cursor === null || !isKept(cursor, range)) {
      subscription.lost = true;
      return;
    }
    subscription.after = cursor.sequence;
    const endsAt = performance.now() + catchUpWithinMs;
    const isComplete = await this.backlog.send(
      subscription.listener,
      messageOf(cursor),
      joinedAt,
      async (missed) => {
        await this.sendInPieces(subscription, missed, endsAt);
        // While the client read these, others may have come.
        for (;;) {
          const held = this.joined.takeHeld(subscription);
          if (held.length === 0) return;
          await this.sendInPieces(subscription, held, endsAt);
        }
      },
    );
    if (!isComplete) subscription.lost = true;
  }

  /** @throws when the client does not read them in time, or the keys cannot be checked */
  private async sendInPieces(
    subscription: Subscription,
    entries: readonly FeedEntry[],
    endsAt: number,
  ): Promise<void> {
    for (let next = 0; next < entries.length && !subscription.lost; next += sentAtOnce) {
      if (!(await this.ports.mayDeliver())) throw new Error('the keys of listeners cannot be checked');
      for (const entry of entries.slice(next, next + sentAtOnce)) this.joined.deliver(subscription, entry);
      await subscription.listener.whenWritable();
      if (performance.now() > endsAt) throw new Error('the client reads its missed events too slowly');
    }
  }

  private advance(): void {
    this.advancing ??= this.readOn()
      .catch((error: unknown) => {
        this.ports.logger.warn({ err: error }, 'the event stream cannot be read for live events');
        this.pollLater(pollEveryMs);
      })
      .finally(() => {
        this.advancing = undefined;
        if (this.again && this.joined.size > 0 && !this.stopped) this.advance();
      });
  }

  private async readOn(): Promise<void> {
    this.again = false;
    if (performance.now() - this.checkedAt > checkRangeEveryMs) {
      const range = await this.ports.range();
      this.checkedAt = performance.now();
      if (range.incarnation !== this.incarnation) this.restartAt(range);
    }
    let found = false;
    while (this.position !== undefined && !this.stopped) {
      const { position, incarnation } = this;
      const { families } = this.joined;
      const wanted = (subject: string) => families.some((family) => family === subject.split('.')[2]);
      const page = await this.ports.read({ from: position + 1, limit: pageSize, wanted });
      const mayDeliver = page.length === 0 || (await this.ports.mayDeliver());
      // Otherwise a listener joined that wants more families than were read, the stream became another one, or all left.
      const isStillAt = (sequence: number) =>
        this.position === sequence && this.incarnation === incarnation && this.joined.families === families;
      if (!isStillAt(position)) continue;
      if (page.length === 0) break;
      if (!mayDeliver) return this.pollLater(lookAgainMs[3]);
      found = true;
      let sent = 0;
      for (const { sequence, events } of page) {
        if (this.position === undefined) return;
        for (const entry of this.entriesOf(sequence, events)) this.joined.deliverToAll(entry);
        this.position = sequence;
        sent += events.length;
        if (sent < sentAtOnce) continue;
        sent = 0;
        await nextTurn();
        if (!isStillAt(sequence)) break;
      }
    }
    const soon = found ? undefined : lookAgainMs[this.retries++];
    this.pollLater(soon ?? pollEveryMs);
  }

  private pollLater(ms: number): void {
    clearTimeout(this.timer);
    if (this.joined.size === 0 && this.position === undefined) return;
    this.timer = setTimeout(() => this.advance(), ms);
    this.timer.unref();
  }

  private entriesOf(sequence: number, events: readonly WireEvent[]): FeedEntry[] {
    return events.flatMap((wire, index) => {
      const event = this.ports.view(wire);
      if (event === null) return [];
      const cursor = cursorOf(this.incarnation, sequence, index);
      return [{ id: cursorText(cursor), sequence: cursor.sequence, event, forms: new Map<string, string>() }];
    });
  }
}

/** Whether all events after the cursor are still stored: it is of this stream, not before its beginning, not after its end. */
const isKept = (cursor: EventCursor, { incarnation, firstSequence, lastSequence }: EventStreamRange) =>
  cursor.incarnation === incarnation &&
  messageOf(cursor) >= firstSequence - 1 &&
  messageOf(cursor) <= lastSequence;
