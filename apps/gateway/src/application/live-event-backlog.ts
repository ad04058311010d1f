import type { WireEvent } from '@agentlattice/contracts';
import type { ReadEventStream, StreamedEvents } from '@agentlattice/messaging';
import { familiesFor, type FeedEntry, type Listener } from './live-event-listeners.js';

const pageSize = 256;
/** A listener that missed more than this fetches the state again. */
const maxBacklog = 20_000;
/** The most backlogs that are read at the same time. */
const maxReading = 8;

export interface LiveEventBacklogPorts {
  readonly read: (query: ReadEventStream) => Promise<StreamedEvents[]>;
  readonly entriesOf: (sequence: number, events: readonly WireEvent[]) => FeedEntry[];
}

/** Reads the events that a listener missed; a few backlogs at a time, so that many reconnecting clients take turns. */
export class LiveEventBacklog {
  private reading = 0;
  private readonly waitingToRead: (() => void)[] = [];

  constructor(private readonly ports: LiveEventBacklogPorts) {}

  /**
   * Sends the missed events in the order of the stream. The next client has its turn only after that, which limits the memory
   * for events that clients have not read yet.
   * @returns false when they are too many; then none is sent
   * @param from the sequence of the first message, which may have been received in part
   * @param to the sequence of the last message
   */
  async send(
    listener: Pick<Listener, 'orgId' | 'wantsActions'>,
    from: number,
    to: number,
    send: (missed: readonly FeedEntry[]) => Promise<void>,
  ): Promise<boolean> {
    if (from > to) return true;
    return await this.inTurn(async () => {
      const missed: { readonly sequence: number; readonly entries: FeedEntry[] }[] = [];
      let count = 0;
      for (const family of familiesFor(listener))
        for (let next = from; next <= to;) {
          const subject = `events.${listener.orgId}.${family}.>`;
          const page = await this.ports.read({ from: next, subject, limit: pageSize });
          if (page.length === 0) break;
          for (const { sequence, events } of page) {
            next = sequence + 1;
            if (sequence > to) break;
            const entries = this.ports.entriesOf(sequence, events);
            count += entries.length;
            missed.push({ sequence, entries });
          }
          if (count > maxBacklog) return false;
        }
      await send(missed.sort((a, b) => a.sequence - b.sequence).flatMap(({ entries }) => entries));
      return true;
    });
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.reading >= maxReading) await new Promise<void>((resolve) => this.waitingToRead.push(resolve));
    this.reading += 1;
    try {
      return await work();
    } finally {
      this.reading -= 1;
      this.waitingToRead.shift()?.();
    }
  }
}
