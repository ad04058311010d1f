import { eventSubject, type WireEvent } from '@agentlattice/contracts';
import { Gathering, inTransaction, untilMultipleOf } from '@agentlattice/event-store';
import { ensureEventStream, eventStreamAgeMs } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import type { EntryRow } from '../domain/draft.js';
import { wireEventOf } from '../domain/wire-event-of.js';
import { ownEvents } from './own-events.js';

export interface EntryRelayOptions {
  readonly pool: pg.Pool;
  readonly nc: NatsConnection;
  readonly logger: Logger;
  readonly pollMs?: number;
}

const pageSize = 512;
/** Where it may read through all entries there are. */
const wholeTableMs = 60_000;
const maxRemembered = 4_096;
/** While nothing is written, each pause before the next look is twice as long as the last, up to so many of the first. */
const idlePauses = 8;
const messageLimits = { events: 128, bytes: 256 * 1024 } as const;

/**
 * Carries the ledger's own events to JetStream: the entries are the outbox, and the one writer gave them their numbers
 * in their commit. Only the writer runs it. What is just written goes out from memory; after a start, an error or a
 * loss of the stream it is read from the tables.
 */
export class EntryRelay {
  private recent: WireEvent[] = [];
  private published = 0;
  private incarnation: string | null = null;
  private checkedAt = 0;
  private readonly gathering = new Gathering();
  private wake: () => void = () => {};
  private readonly stopping = new AbortController();
  private done: Promise<void> = Promise.resolve();

  constructor(private readonly options: EntryRelayOptions) {}

  start(): this {
    this.done = this.run();
    return this;
  }

  offer(rows: readonly EntryRow[]): void {
    for (const row of rows) if (row.gpos !== null) this.recent.push(wireEventOf(row.entry, row.gpos, row));
    if (this.recent.length > maxRemembered) this.recent = [];
    this.wake();
  }

  /** Where the connection was lost the stream may have been as well. */
  noteReconnect(): void {
    this.checkedAt = 0;
    this.wake();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.done;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let known = false;
    let restMs = (this.options.pollMs ?? 1_000) / 2;
    while (!signal.aborted) {
      try {
        if (!known) await this.readPosition();
        known = true;
        await this.followStream();
        let published = 0;
        for (let count = 1; !signal.aborted && count > 0;) {
          count = await this.publishNext();
          published += count;
          if (count > 0) this.gathering.ended();
          if (count > 0 && count < pageSize) await this.gathering.next(signal);
        }
        const { pollMs = 1_000 } = this.options;
        restMs = published > 0 ? pollMs : Math.min(restMs * 2, pollMs * idlePauses);
        await this.pause(restMs === pollMs * idlePauses ? untilMultipleOf(restMs) : restMs);
        await this.gathering.next(signal);
      } catch (error) {
        known = false;
        restMs = (this.options.pollMs ?? 1_000) / 2;
        if (signal.aborted) return;
        this.options.logger.warn({ err: error }, 'events could not be published and will be again');
        await this.pause(500);
      }
    }
  }

  private async readPosition(): Promise<void> {
    const { rows } = await this.options.pool.query<{ stream_incarnation: string | null; gpos: string }>(
      'SELECT stream_incarnation, gpos FROM relay_position',
    );
    this.published = Number(rows[0]?.gpos ?? 0);
    this.incarnation = rows[0]?.stream_incarnation ?? null;
    this.checkedAt = 0;
  }

  /** A stream that is not the one we published to holds nothing of ours: the last 72 h go out again. */
  private async followStream(): Promise<void> {
    const { nc, pool, logger, pollMs = 1_000 } = this.options;
    if (Date.now() - this.checkedAt < pollMs) return;
    const { incarnation } = await ensureEventStream(nc);
    this.checkedAt = Date.now();
    if (incarnation === this.incarnation) return;
    if (this.incarnation !== null) {
      const asking = {
        text: `SELECT min(gpos) - 1 AS gpos FROM entry
          WHERE gpos IS NOT NULL AND gpos <= $1 AND time > clock_timestamp() - make_interval(secs => $2)`,
        values: [this.published, eventStreamAgeMs / 1_000],
        query_timeout: wholeTableMs,
      };
      const { rows } = await inTransaction(pool, (tx) => tx.query<{ gpos: string | null }>(asking), [
        { text: `SET LOCAL statement_timeout = ${String(wholeTableMs)}`, values: [] },
      ]);
      const from = rows[0]?.gpos ?? null;
      if (from !== null) this.published = Number(from);
      logger.warn(
        { from: this.published },
        'the event stream is a new one: recent events are published again',
      );
    }
    this.incarnation = incarnation;
    await this.remember();
  }

  /** @returns how many there were */
  private async publishNext(): Promise<number> {
    const events = await this.next();
    const last = events.at(-1);
    if (last === undefined) return 0;
    const js = jetstream(this.options.nc, { timeout: 3_000 });
    await Promise.all(
      messagesOf(events).map(({ subject, firstId, texts }) =>
        js.publish(subject, `{"events":[${texts.join(',')}]}`, {
          msgID: `${firstId}-${String(texts.length)}`,
          timeout: 3_000,
        }),
      ),
    );
    this.published = last.gpos;
    await this.remember();
    return events.length;
  }

  private async next(): Promise<WireEvent[]> {
    const recent = this.recent;
    this.recent = [];
    const fresh = recent.filter(({ gpos }) => gpos > this.published);
    if (fresh.length > 0 && fresh[0]?.gpos === this.published + 1) {
      this.recent = fresh.slice(pageSize).concat(this.recent);
      return fresh.slice(0, pageSize);
    }
    return await ownEvents(this.options.pool, { after: this.published, limit: pageSize });
  }

  private async remember(): Promise<void> {
    // Losing it costs some events a second delivery, which their readers expect; waiting for the disk would cost more.
    await this.options.pool.query(
      `UPDATE relay_position SET stream_incarnation = $1, gpos = $2
         FROM (SELECT set_config('synchronous_commit', 'off', true) AS level) setting WHERE level = 'off'`,
      [this.incarnation, this.published],
    );
  }

  private async pause(ms: number): Promise<void> {
    if (this.recent.length > 0 || this.stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => (clearTimeout(timer), resolve());
    });
    this.wake = () => {};
  }
}

interface EventMessage {
  readonly subject: string;
  readonly firstId: string;
  /** Each event's JSON, written once. */
  readonly texts: string[];
}

/** One list per subject, in order, within the limits of a message; readers put subjects back in order by `gpos`. */
function messagesOf(events: readonly WireEvent[]): EventMessage[] {
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
      open.set(subject, last);
      messages.push(last.message);
    }
    last.message.texts.push(text);
    last.bytes += size;
  }
  return messages;
}
