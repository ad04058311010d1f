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

/** One event, written once for all who listen to it. */
export interface Told {
  readonly id: string;
  readonly event: LiveEvent;
  /** Whatever a transport makes of the event is made once and kept here. */
  readonly forms: Map<string, string>;
}

/** Somebody who hears of events in the moment they happen. */
export interface Listener {
  readonly orgId: string;
  /** Null: everything that an operator may see; else only what concerns these agents. */
  readonly agentIds: ReadonlySet<string> | null;
  /** Hears of actions too, which are there in thousands a second; all the rest it hears anyway. */
  readonly hearsActions: boolean;
  /** Must not wait. */
  readonly tell: (told: Told) => void;
  /** What was missed is not kept: fetch anew. `id` is where the listener goes on. */
  readonly reset: (id: string) => void;
}

export interface LiveEventFeedPorts {
  readonly range: () => Promise<EventStreamRange>;
  readonly read: (query: ReadEventStream) => Promise<StreamedEvents[]>;
  /** What is told of an event; null for one that nobody hears of. */
  readonly view: (event: WireEvent) => LiveEvent | null;
  /** Whether all who listen may still do so, as far as must be known now; nothing is told before that. */
  readonly mayTell: () => Promise<boolean>;
  /** `notice` is to be called when one of these families is published; none: nobody listens. */
  readonly follow: (families: readonly string[]) => void;
  readonly logger: Logger;
}

/** The families of events that everybody who listens hears; the rest of the stream is skipped unread. */
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
const familiesFor = ({ hearsActions }: Pick<Listener, 'hearsActions'>) =>
  hearsActions ? withActions : liveFamilies;

const pageSize = 256;
/** More than this was missed: the listener fetches anew. */
const maxBacklog = 20_000;
/** What happened while a listener reads its backlog. */
const maxMeanwhile = 5_000;
/** Backlogs that are read at a time. */
const maxReading = 8;
/** A message may be told of a moment before it can be read. */
const lookAgainMs = [2, 10, 50, 250] as const;
/** Below all notices: one may be lost. */
const lookEveryMs = 2_000;
/** A stream that was deleted is made anew by another service; its messages begin again. */
const checkRangeEveryMs = 15_000;

interface Place {
  readonly listener: Listener;
  /** What happened since it joined; null once it has caught up. */
  meanwhile: Told[] | null;
  /** Nothing up to here is told again. */
  after: number;
  lost: boolean;
}

/**
 * Events as they are stored, told to all who listen. One reader follows the stream by its sequence, whoever many listen; it
 * rests while nobody does. Somebody who comes back reads what was missed from the stream and joins the others without a gap.
 */
export class LiveEventFeed {
  private readonly places = new Map<string, Set<Place>>();
  private count = 0;
  private hearActions = 0;
  private incarnation = '';
  /** The last message that was told; undefined while nobody listens. */
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

  /** Where everybody has been told up to. */
  get cursor(): string {
    return cursorText(cursorAfter(this.incarnation, this.position ?? 0));
  }

  /**
   * Listens from now on, or after the event that was heard last. Resolves once the listener has caught up.
   * @returns how to leave
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

  /** Something was stored. */
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

  /** The stream is another one: nobody knows what happened in between. */
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
    if (place.listener.hearsActions) this.hearActions += 1;
    this.followWhatIsHeard();
  }

  private remove(place: Place): void {
    const { orgId } = place.listener;
    const places = this.places.get(orgId);
    if (places?.delete(place) !== true) return;
    this.count -= 1;
    if (place.listener.hearsActions) this.hearActions -= 1;
    if (places.size === 0) this.places.delete(orgId);
    this.followWhatIsHeard();
    if (this.count > 0) return;
    // Nobody listens: the next one begins where the stream ends then.
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
    else for (const told of backlog) this.tell(place, told);
  }

  /** What was missed, in the order of the stream; null when it is too much. */
  private async backlogOf({ listener }: Place, from: number, to: number): Promise<Told[] | null> {
    if (from > to) return [];
    return await this.oneOfFew(async () => {
      const missed: { readonly sequence: number; readonly told: Told[] }[] = [];
      let count = 0;
      for (const family of familiesFor(listener))
        for (let next = from; next <= to;) {
          const subject = `events.${listener.orgId}.${family}.>`;
          const page = await this.ports.read({ from: next, subject, most: pageSize });
          if (page.length === 0) break;
          for (const { sequence, events } of page) {
            next = sequence + 1;
            if (sequence > to) break;
            const told = this.toldOf(sequence, events);
            count += told.length;
            missed.push({ sequence, told });
          }
          if (count > maxBacklog) return null;
        }
      return missed.sort((a, b) => a.sequence - b.sequence).flatMap(({ told }) => told);
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
    } else for (const told of meanwhile ?? []) this.tell(place, told);
  }

  private advance(): void {
    this.advancing ??= this.readOn()
      .catch((error: unknown) => {
        this.ports.logger.warn({ err: error }, 'the event stream cannot be read for those who listen');
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
      const families = this.families();
      const wanted = (subject: string) => families.some((family) => family === subject.split('.')[2]);
      const page = await this.ports.read({ from: this.position + 1, most: pageSize, wanted });
      // Somebody joined who hears of more than was read.
      if (this.families() !== families) continue;
      if (page.length === 0) break;
      if (!(await this.ports.mayTell())) return this.lookLater(lookAgainMs[3]);
      found = true;
      for (const { sequence, events } of page) {
        if (this.position === undefined) return;
        for (const told of this.toldOf(sequence, events)) this.tellAll(told);
        this.position = sequence;
      }
    }
    const soon = found ? undefined : lookAgainMs[this.retries++];
    this.lookLater(soon ?? lookEveryMs);
  }

  private families(): readonly string[] {
    return familiesFor({ hearsActions: this.hearActions > 0 });
  }

  private lookLater(ms: number): void {
    clearTimeout(this.timer);
    if (this.count === 0 && this.position === undefined) return;
    this.timer = setTimeout(() => this.advance(), ms);
    this.timer.unref();
  }

  private toldOf(sequence: number, events: readonly WireEvent[]): Told[] {
    return events.flatMap((wire, index) => {
      const event = this.ports.view(wire);
      const id = cursorText(cursorOf(this.incarnation, sequence, index));
      return event === null ? [] : [{ id, event, forms: new Map<string, string>() }];
    });
  }

  private tellAll(told: Told): void {
    for (const place of this.places.get(told.event.org_id) ?? []) {
      if (place.meanwhile === null) this.tell(place, told);
      else if (place.meanwhile.length < maxMeanwhile) place.meanwhile.push(told);
      else place.lost = true;
    }
  }

  private tell(place: Place, told: Told): void {
    const { listener, after } = place;
    const sequence = parseCursor(told.id)?.sequence ?? 0;
    if (sequence <= after) return;
    place.after = sequence;
    const { agent_id, type } = told.event;
    if (!listener.hearsActions && type.startsWith('action.')) return;
    if (listener.agentIds === null || (agent_id !== null && listener.agentIds.has(agent_id)))
      listener.tell(told);
  }
}

/** Whether all that follows is still there: of this stream, not before its beginning, not after its end. */
const isKept = (cursor: EventCursor, { incarnation, firstSequence, lastSequence }: EventStreamRange) =>
  cursor.incarnation === incarnation &&
  messageOf(cursor) >= firstSequence - 1 &&
  messageOf(cursor) <= lastSequence;
