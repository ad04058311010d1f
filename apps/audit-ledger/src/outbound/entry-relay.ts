import { EventPublisher, type EventSource, inTransaction, untilAborted } from '@agentlattice/event-store';
import { ensureEventStream } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import type { EntryRow } from '../domain/draft.js';
import { wireEventOf } from '../domain/wire-event-of.js';
import { ownEvents } from './own-events.js';

export interface EntryRelayOptions {
  readonly pool: pg.Pool;
  readonly nc: NatsConnection;
  readonly logger: Logger;
  /** How many servers keep the stream of events. */
  readonly streamReplicas: number;
}

/** The time limit of a query that reads all entries. */
const wholeTableMs = 60_000;

/**
 * Publishes the ledger's own events to JetStream: the entries are the outbox, and the writer numbered them in their commit.
 * Only the active writer runs it.
 */
export class EntryRelay {
  private publisher: EventPublisher | undefined;
  private readonly stopping = new AbortController();
  private done: Promise<void> = Promise.resolve();

  constructor(private readonly options: EntryRelayOptions) {}

  start(): void {
    const { pool, nc, logger, streamReplicas } = this.options;
    const source = entrySource(pool);
    const { signal } = this.stopping;
    this.done = untilAborted(
      signal,
      () => {
        const stream = () => ensureEventStream(nc, streamReplicas);
        this.publisher = new EventPublisher({ nc, source, logger, stream, inOrder: false });
        return this.publisher.run(signal);
      },
      (error) => logger.warn({ err: error }, 'events could not be published; they are published again later'),
    );
  }

  /** Takes entries that were just written. A publisher that is started later reads them from the tables. */
  offer(rows: readonly EntryRow[]): void {
    this.publisher?.offer(
      rows.flatMap((row) => (row.gpos === null ? [] : [wireEventOf(row.entry, row.gpos, row)])),
    );
  }

  noteReconnect(): void {
    this.publisher?.noteReconnect();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.done;
  }
}

const entrySource = (pool: pg.Pool): EventSource => ({
  async position() {
    const { rows } = await pool.query<{ stream_incarnation: string | null; gpos: string }>(
      'SELECT stream_incarnation, gpos FROM relay_position',
    );
    return { incarnation: rows[0]?.stream_incarnation ?? null, gpos: Number(rows[0]?.gpos ?? 0) };
  },
  async savePosition({ incarnation, gpos }) {
    // If it is lost, some events are published again, which their readers expect; waiting for the disk would cost more.
    await pool.query(
      `UPDATE relay_position SET stream_incarnation = $1, gpos = $2
         FROM (SELECT set_config('synchronous_commit', 'off', true) AS level) setting WHERE level = 'off'`,
      [incarnation, gpos],
    );
  },
  after: (gpos, limit) => ownEvents(pool, { after: gpos, limit }),
  async beforeAge(ageMs) {
    const asked = {
      text: `SELECT min(gpos) - 1 AS gpos FROM entry
        WHERE gpos IS NOT NULL AND time > clock_timestamp() - make_interval(secs => $1)`,
      values: [ageMs / 1_000],
      query_timeout: wholeTableMs,
    };
    const { rows } = await inTransaction(pool, (tx) => tx.query<{ gpos: string | null }>(asked), [
      { text: `SET LOCAL statement_timeout = ${String(wholeTableMs)}`, values: [] },
    ]);
    const from = rows[0]?.gpos ?? null;
    return from === null ? null : Number(from);
  },
});
