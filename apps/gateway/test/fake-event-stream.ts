import type { LiveEvent, WireEvent } from '@agentlattice/contracts';
import type { EventStreamRange, ReadEventStream, StreamedEvents } from '@agentlattice/messaging';
import { LiveEventFeed } from '../src/application/live-event-feed.js';

const logger = { warn: () => {} } as never;
export const tick = () => new Promise((resolve) => setImmediate(resolve));

/** The stream in memory. Reading takes a turn of the event loop, like reading over the network. */
export class FakeStream {
  messages: { readonly subject: string; readonly events: WireEvent[] }[] = [];
  incarnation = 'life1';
  firstSequence = 1;

  /** @param pageSize the most messages of one reading */
  constructor(private readonly pageSize = 3) {}

  publish(orgId: string, family: string, ...names: string[]): void {
    const events = names.map(
      (name) => ({ event_id: name, org_id: orgId, type: `${family}.happened`, data: {} }) as WireEvent,
    );
    this.messages.push({ subject: `events.${orgId}.${family}.happened`, events });
  }

  range = async (): Promise<EventStreamRange> => {
    await tick();
    const { incarnation, firstSequence, messages } = this;
    return { incarnation, firstSequence, lastSequence: messages.length };
  };

  read = async ({
    from,
    subject = 'events.>',
    limit,
    wanted = () => true,
  }: ReadEventStream): Promise<StreamedEvents[]> => {
    await tick();
    return this.messages
      .map((message, i) => ({ ...message, sequence: i + 1 }))
      .filter(({ sequence }) => sequence >= Math.max(from, this.firstSequence))
      .filter((message) => message.subject.startsWith(subject.replace('>', '')))
      .slice(0, Math.min(limit, this.pageSize))
      .map(({ sequence, subject: on, events }) => ({ sequence, events: wanted(on) ? events : [] }));
  };

  wipe(): void {
    this.messages = [];
    this.incarnation = 'life2';
  }
}

export const view = ({ event_id, org_id, type }: WireEvent): LiveEvent | null =>
  event_id.startsWith('inside')
    ? null
    : { event_id, org_id, type, time: '', actor: null, agent_id: event_id.split('@')[1] ?? null, data: {} };

export const feedOn = (stream: FakeStream, mayDeliver = () => Promise.resolve(true)) =>
  new LiveEventFeed({ range: stream.range, read: stream.read, view, mayDeliver, follow: () => {}, logger });
