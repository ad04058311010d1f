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
    const missed = await this.backlog.read(subscription.listener, messageOf(cursor), joinedAt);
    if (missed === null) subscription.lost = true;
    else for (const entry of missed) this.joined.deliver(subscription, entry);
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
      // Meanwhile a listener joined that wants more families than were read, the stream became another one, or all left.
      if (this.position !== position || this.incarnation !== incarnation || this.joined.families !== families)
        continue;
      if (page.length === 0) break;
      if (!mayDeliver) return this.pollLater(lookAgainMs[3]);
      found = true;
      for (const { sequence, events } of page) {
        if (this.position === undefined) return;
        for (const entry of this.entriesOf(sequence, events)) this.joined.deliverToAll(entry);
        this.position = sequence;
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
