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

/** One event, serialised once for all its listeners. */
export interface FeedEntry {
  readonly id: string;
  /** The number in the id. */
  readonly sequence: number;
  readonly event: LiveEvent;
  /** The text of the event by transport, made by the first listener of each. */
  readonly forms: Map<string, string>;
}

/** A receiver of live events. */
export interface Listener {
  readonly orgId: string;
  /** Null: all events that an operator may see; else only events of these agents, and of agents that act for them. */
  readonly agentIds: ReadonlySet<string> | null;
  /** Whether it also receives events of actions, of which there are thousands a second. */
  readonly wantsActions: boolean;
  /** Must not wait. */
  readonly deliver: (entry: FeedEntry) => void;
  /** Missed events are no longer stored: the client fetches the state again and goes on from `id`. */
  readonly reset: (id: string) => void;
}

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

/** The families of events that every listener may get; the rest of the stream is not read. */
export const liveFamilies = [
  'approval',
  'policy',
  'agent',
  'delegation',
  'delivery',
  'endpoint',
  'channel',
  'member',
] as const;
const withActions = [...liveFamilies, 'action'] as const;
const familiesFor = ({ wantsActions }: Pick<Listener, 'wantsActions'>) =>
  wantsActions ? withActions : liveFamilies;

const pageSize = 256;
/** A listener that missed more than this fetches the state again. */
const maxBacklog = 20_000;
/** The most events that are kept for a listener while it reads its backlog. */
const maxMeanwhile = 5_000;
/** The most backlogs that are read at the same time. */
const maxReading = 8;
/** A notice may come a moment before its message can be read. */
const lookAgainMs = [2, 10, 50, 250] as const;
/** Between two readings when no notice comes: one may be lost. */
const lookEveryMs = 2_000;
/** A deleted stream is made again by another service; its sequence begins again. */
const checkRangeEveryMs = 15_000;

interface Place {
  readonly listener: Listener;
  /** The events since it joined; null once it has caught up. */
  meanwhile: FeedEntry[] | null;
  /** Nothing up to this sequence is delivered again. */
  after: number;
  lost: boolean;
}

/**
 * Delivers events to all listeners as they are stored. One reader follows the stream by its sequence for all of them, and
 * stops while there is none. A listener that reconnects reads the events that it missed from the stream and then joins the
 * others without a gap.
 */
export class LiveEventFeed {
  private readonly places = new Map<string, Set<Place>>();
  private count = 0;
  private actionListeners = 0;
  private incarnation = '';
  /** The last message that was delivered; undefined while there is no listener. */
  private position: number | undefined;
  private advancing: Promise<void> | undefined;
  private again = false;
  private retries = 0;
  private timer: NodeJS.Timeout | undefined;
  private checkedAt = 0;
  private reading = 0;
  private readonly waitingToRead: (() => void)[] = [];
  private stopped = false;

  constructor(private readonly ports: LiveEventFeedPorts) {}

  get listeners(): number {
    return this.count;
  }

  /** Every listener has got the events up to here. */
  get cursor(): string {
    return cursorText(cursorAfter(this.incarnation, this.position ?? 0));
  }

  /**
   * Delivers events from now on, or after `lastEventId`. Resolves once the listener has caught up.
   * @returns a function that ends the delivery
   * @throws when the stream cannot be read
   */
  async join(listener: Listener, lastEventId: string | undefined): Promise<() => void> {
    const range = await this.begin();
    const joinedAt = this.position ?? range.lastSequence;
    const place: Place = {
      listener,
      meanwhile: [],
      after: cursorAfter(range.incarnation, joinedAt).sequence,
      lost: false,
    };
    this.add(place);
    try {
      if (lastEventId !== undefined) await this.catchUp(place, lastEventId, range, joinedAt);
      this.endMeanwhile(place);
    } catch (error) {
      this.remove(place);
      throw error;
    }
    return () => this.remove(place);
  }

  /** To be called when an event was stored. */
  notice(): void {
    if (this.count === 0 || this.stopped) return;
    this.retries = 0;
    this.again = true;
    this.advance();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.advancing;
  }

  private async begin(): Promise<EventStreamRange> {
    const range = await this.ports.range();
    if (this.position === undefined) this.startAt(range);
    else if (range.incarnation !== this.incarnation) this.startAnew(range);
    return range;
  }

  private startAt({ incarnation, lastSequence }: EventStreamRange): void {
    this.incarnation = incarnation;
    this.position = lastSequence;
    this.checkedAt = performance.now();
    this.lookLater(lookEveryMs);
  }

  /** The stream is another one, so the events in between are unknown. */
  private startAnew(range: EventStreamRange): void {
    this.startAt(range);
    for (const places of this.places.values())
      for (const place of places) {
        place.after = cursorAfter(range.incarnation, range.lastSequence).sequence;
        if (place.meanwhile === null) place.listener.reset(this.cursor);
        else place.lost = true;
      }
  }

  private add(place: Place): void {
    const { orgId } = place.listener;
    const places = this.places.get(orgId) ?? new Set<Place>();
    this.places.set(orgId, places.add(place));
    this.count += 1;
    if (place.listener.wantsActions) this.actionListeners += 1;
    this.followWhatIsHeard();
  }

  private remove(place: Place): void {
    const { orgId } = place.listener;
    const places = this.places.get(orgId);
    if (places?.delete(place) !== true) return;
    this.count -= 1;
    if (place.listener.wantsActions) this.actionListeners -= 1;
    if (places.size === 0) this.places.delete(orgId);
    this.followWhatIsHeard();
    if (this.count > 0) return;
    // Without listeners: the next one begins at the end of the stream.
    this.position = undefined;
    clearTimeout(this.timer);
  }

  private followWhatIsHeard(): void {
    this.ports.follow(this.count === 0 ? [] : this.families());
  }

  private async catchUp(
    place: Place,
    lastEventId: string,
    range: EventStreamRange,
    joinedAt: number,
  ): Promise<void> {
    const cursor = parseCursor(lastEventId);
    if (cursor === null || !isKept(cursor, range)) {
      place.lost = true;
      return;
    }
    place.after = cursor.sequence;
    const backlog = await this.backlogOf(place, messageOf(cursor), joinedAt);
    if (backlog === null) place.lost = true;
    else for (const entry of backlog) this.deliver(place, entry);
  }

  /** The missed events in the order of the stream; null when they are too many. */
  private async backlogOf({ listener }: Place, from: number, to: number): Promise<FeedEntry[] | null> {
    if (from > to) return [];
    return await this.oneOfFew(async () => {
      const missed: { readonly sequence: number; readonly entries: FeedEntry[] }[] = [];
      let count = 0;
      for (const family of familiesFor(listener))
        for (let next = from; next <= to;) {
          const subject = `events.${listener.orgId}.${family}.>`;
          const page = await this.ports.read({ from: next, subject, most: pageSize });
          if (page.length === 0) break;
          for (const { sequence, events } of page) {
            next = sequence + 1;
            if (sequence > to) break;
            const entries = this.entriesOf(sequence, events);
            count += entries.length;
            missed.push({ sequence, entries });
          }
          if (count > maxBacklog) return null;
        }
      return missed.sort((a, b) => a.sequence - b.sequence).flatMap(({ entries }) => entries);
    });
  }

  private async oneOfFew<T>(work: () => Promise<T>): Promise<T> {
    if (this.reading >= maxReading) await new Promise<void>((resolve) => this.waitingToRead.push(resolve));
    this.reading += 1;
    try {
      return await work();
    } finally {
      this.reading -= 1;
      this.waitingToRead.shift()?.();
    }
  }

  private endMeanwhile(place: Place): void {
    const { meanwhile, lost, listener } = place;
    place.meanwhile = null;
    if (lost) {
      place.after = cursorAfter(this.incarnation, this.position ?? 0).sequence;
      listener.reset(this.cursor);
    } else for (const entry of meanwhile ?? []) this.deliver(place, entry);
  }

  private advance(): void {
    this.advancing ??= this.readOn()
      .catch((error: unknown) => {
        this.ports.logger.warn({ err: error }, 'the event stream cannot be read for live events');
        this.lookLater(lookEveryMs);
      })
      .finally(() => {
        this.advancing = undefined;
        if (this.again && this.count > 0 && !this.stopped) this.advance();
      });
  }

  private async readOn(): Promise<void> {
    this.again = false;
    if (performance.now() - this.checkedAt > checkRangeEveryMs) {
      const range = await this.ports.range();
      this.checkedAt = performance.now();
      if (range.incarnation !== this.incarnation) this.startAnew(range);
    }
    let found = false;
    while (this.position !== undefined && !this.stopped) {
      const { position, incarnation } = this;
      const families = this.families();
      const wanted = (subject: string) => families.some((family) => family === subject.split('.')[2]);
      const page = await this.ports.read({ from: position + 1, most: pageSize, wanted });
      const mayDeliver = page.length === 0 || (await this.ports.mayDeliver());
      // Meanwhile a listener joined that wants more families than were read, the stream became another one, or all left.
      if (this.position !== position || this.incarnation !== incarnation || this.families() !== families)
        continue;
      if (page.length === 0) break;
      if (!mayDeliver) return this.lookLater(lookAgainMs[3]);
      found = true;
      for (const { sequence, events } of page) {
        if (this.position === undefined) return;
        for (const entry of this.entriesOf(sequence, events)) this.deliverToAll(entry);
        this.position = sequence;
      }
    }
    const soon = found ? undefined : lookAgainMs[this.retries++];
    this.lookLater(soon ?? lookEveryMs);
  }

  private families(): readonly string[] {
    return familiesFor({ wantsActions: this.actionListeners > 0 });
  }

  private lookLater(ms: number): void {
    clearTimeout(this.timer);
    if (this.count === 0 && this.position === undefined) return;
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

  private deliverToAll(entry: FeedEntry): void {
    for (const place of this.places.get(entry.event.org_id) ?? []) {
      if (place.meanwhile === null) this.deliver(place, entry);
      else if (place.meanwhile.length < maxMeanwhile) place.meanwhile.push(entry);
      else place.lost = true;
    }
  }

  private deliver(place: Place, entry: FeedEntry): void {
    const { listener, after } = place;
    if (entry.sequence <= after) return;
    place.after = entry.sequence;
    const { agent_id, acting_for = [], type } = entry.event;
    if (!listener.wantsActions && type.startsWith('action.')) return;
    const { agentIds } = listener;
    if (agentIds === null || [agent_id, ...acting_for].some((id) => id !== null && agentIds.has(id)))
      listener.deliver(entry);
  }
}

/** Whether all events after the cursor are still stored: it is of this stream, not before its beginning, not after its end. */
const isKept = (cursor: EventCursor, { incarnation, firstSequence, lastSequence }: EventStreamRange) =>
  cursor.incarnation === incarnation &&
  messageOf(cursor) >= firstSequence - 1 &&
  messageOf(cursor) <= lastSequence;
