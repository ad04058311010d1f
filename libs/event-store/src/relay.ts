import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@agentlattice/contracts';
import { eventStreamState, type EventStreamState } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { onCommitted } from './committed-events.js';
import { connectionLimits, keepaliveStatement } from './connection-limits.js';
import { DatabaseClient } from './database-client.js';
import { EventPublisher, type EventSource, untilAborted } from './event-publisher.js';
import { eventChannel } from './event-store-migration.js';
import { gatherMs } from './gathering.js';
import {
  type NumberedEvent,
  type Numbers,
  readWireEvent,
  storedColumns,
  toWireEvent,
  type WholeEventRow,
} from './stored-event.js';

export interface RelayOptions {
  /** Through which this process commits its events. */
  readonly pool: pg.Pool;
  readonly databaseUrl: string;
  readonly nc: NatsConnection;
  readonly service: ServiceName;
  readonly logger: Logger;
  /** The pause between two polls; default 1 s, up to eight times that while there are no events. */
  readonly pollMs?: number;
  /** Default: the existing event stream, which another service creates. */
  readonly stream?: (nc: NatsConnection) => Promise<EventStreamState | null>;
}

export interface Relay {
  stop(): Promise<void>;
}

/** The relay's advisory lock; the second key is the schema. */
const relayLock = 715_402_003;
/** The first poll reads all events. */
const wholeTableMs = 60_000;

/**
 * Publishes committed events to JetStream in the order of their numbers: events of this process from memory, those of other
 * replicas and those left by a crash from the table. Only the replica that holds the database's advisory lock publishes; the
 * others notify it of their commits.
 */
export function startRelay(options: RelayOptions): Relay {
  const stopping = new AbortController();
  let session: RelaySession | undefined;
  const notice = new CommitNotice(options);
  const ignore = onCommitted(options.pool, (events) => {
    if (session?.offer(events) !== true) notice.tell();
  });
  void (async () => {
    for await (const { type } of options.nc.status()) {
      if (stopping.signal.aborted) return;
      if (type === 'reconnect') session?.noteReconnect();
    }
  })();
  const done = untilAborted(
    stopping.signal,
    async () => {
      session = new RelaySession(options, stopping.signal);
      try {
        await session.run();
      } finally {
        await session.close();
        session = undefined;
      }
    },
    (error) =>
      options.logger.warn(
        { err: error, service: options.service },
        'the event relay failed and starts again',
      ),
  );
  return {
    stop: async () => {
      stopping.abort();
      ignore();
      await done;
      await notice.told;
    },
  };
}

const schemaOf = (service: ServiceName) => service.replaceAll('-', '_');

/** Notifies the replica that holds the lock of events committed here, once for commits that are close together. */
class CommitNotice {
  told: Promise<void> = Promise.resolve();
  private notifying = false;

  constructor(private readonly options: RelayOptions) {}

  tell(): void {
    if (this.notifying) return;
    this.notifying = true;
    this.told = this.notify();
  }

  private async notify(): Promise<void> {
    const { pool, service, logger } = this.options;
    await sleep(gatherMs);
    // Later commits need another notice.
    this.notifying = false;
    await pool
      .query(`SELECT pg_notify($1, '')`, [eventChannel(schemaOf(service))])
      .catch((error: unknown) => {
        // The holder also polls every second.
        logger.debug({ err: error, service }, 'the notice to the relay failed');
      });
  }
}

/** One hold of the lock. */
class RelaySession {
  private readonly client: DatabaseClient;
  private readonly publisher: EventPublisher;
  /** Aborted when the connection is lost, and the lock with it. */
  private readonly lost = new AbortController();
  private holds = false;

  constructor(
    private readonly options: RelayOptions,
    private readonly signal: AbortSignal,
  ) {
    const { databaseUrl, service, nc, logger, pollMs, stream = eventStreamState } = options;
    this.client = new DatabaseClient({
      connectionString: databaseUrl,
      application_name: `${service}-relay`,
      connectionTimeoutMillis: 3_000,
      ...connectionLimits,
      statement_timeout: wholeTableMs,
    });
    const source = tableSource(this.client, service);
    this.publisher = new EventPublisher({
      nc,
      source,
      logger,
      pollMs,
      inOrder: true,
      stream: () => stream(nc),
    });
  }

  async run(): Promise<void> {
    const lose = (error = new Error('the connection ended')) => this.lost.abort(error);
    this.client.on('error', lose);
    this.client.on('end', () => lose());
    this.client.on('notification', () => this.publisher.noteUnread());
    await this.client.connect();
    await this.client.query(keepaliveStatement);
    if (!(await this.lock())) return;
    this.holds = true;
    await this.client.query(`LISTEN ${eventChannel(this.schema)}`);
    // A lost checkpoint only causes a second delivery, which readers expect; waiting for the disk would cost more.
    await this.client.query('SET synchronous_commit = off');
    await this.publisher.run(AbortSignal.any([this.signal, this.lost.signal]));
    this.lost.signal.throwIfAborted();
  }

  noteReconnect(): void {
    this.publisher.noteReconnect();
  }

  /** Takes events just committed. @returns whether this process publishes them */
  offer(events: readonly NumberedEvent[]): boolean {
    if (!this.holds || this.lost.signal.aborted) return false;
    this.publisher.offer(events.map((event) => toWireEvent(this.options.service, event)));
    return true;
  }

  async close(): Promise<void> {
    this.holds = false;
    await this.client.end().catch(() => {});
  }

  private get schema(): string {
    return schemaOf(this.options.service);
  }

  /** If another replica holds it, this one waits until it is released. */
  private async lock(): Promise<boolean> {
    const { rows } = await this.client.query<{ got: boolean }>(
      'SELECT pg_try_advisory_lock($1, hashtext($2)) AS got',
      [relayLock, this.schema],
    );
    return rows[0]?.got === true;
  }
}

const tableSource = (client: DatabaseClient, service: ServiceName): EventSource => ({
  async position() {
    const { rows } = await client.query<{ stream_incarnation: string | null; published_gpos: string }>(
      'SELECT stream_incarnation, published_gpos FROM relay_checkpoint',
    );
    return { incarnation: rows[0]?.stream_incarnation ?? null, gpos: Number(rows[0]?.published_gpos ?? 0) };
  },
  async savePosition({ incarnation, gpos }) {
    await client.query({
      name: 'checkpoint',
      text: 'UPDATE relay_checkpoint SET stream_incarnation = $1, published_gpos = $2',
      values: [incarnation, gpos],
    });
  },
  async after(gpos, limit) {
    const { rows } = await client.query<WholeEventRow & Numbers>({
      name: 'next-events',
      text: `SELECT ${storedColumns}, p.gpos, p.source_seq FROM event_position p JOIN event e USING (event_id)
          WHERE p.gpos > $1 ORDER BY p.gpos LIMIT $2`,
      values: [gpos, limit],
    });
    return rows.map((row) => readWireEvent(service, row));
  },
  async beforeAge(ageMs) {
    const asked = {
      text: `SELECT min(p.gpos) - 1 AS gpos FROM event_position p JOIN event e USING (event_id)
          WHERE e.occurred_at > clock_timestamp() - make_interval(secs => $1)`,
      values: [ageMs / 1_000],
      query_timeout: wholeTableMs,
    };
    const { rows } = await client.query<{ gpos: string | null }>(asked);
    const from = rows[0]?.gpos ?? null;
    return from === null ? null : Number(from);
  },
});
