import { setTimeout as sleep } from 'node:timers/promises';
import { eventSubject, type ServiceName, type WireEvent } from '@agentlattice/contracts';
import { ensureEventStream, eventStreamAgeMs, eventStreamState } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { onCommitted } from './committed-events.js';
import { connectionLimits, noticeVanishedPeer } from './connection-limits.js';
import { DatabaseClient } from './database-client.js';
import { Gathering, gatherMs } from './gathering.js';
import { eventChannel } from './event-store-migration.js';
import { untilMultipleOf } from './resting-pause.js';
import { type NumberedEvent, storedColumns, toWireEvent } from './stored-event.js';

export interface RelayOptions {
  /** Through which this process commits its events. */
  readonly pool: pg.Pool;
  readonly databaseUrl: string;
  readonly nc: NatsConnection;
  readonly service: ServiceName;
  readonly logger: Logger;
  /** How often it looks without being told; default 1 s, and up to eight times that while there is nothing. */
  readonly pollMs?: number;
}

export interface Relay {
  stop(): Promise<void>;
}

/** Only the relay takes it; the second key is the schema. */
const relayLock = 715_402_003;
const pageSize = 1_000;
/** The first look goes through all events there are. */
const wholeTableMs = 60_000;
const wholeTable = { query_timeout: wholeTableMs };
/** While nothing is found, each pause before the next look is twice as long as the last, up to so many of the first. */
const idlePauses = 8;
/** What this process committed and has not published yet; beyond it the table is read. */
const maxRemembered = 4_096;
const messageLimits = { events: 128, bytes: 256 * 1024 } as const;

/**
 * Carries committed events to JetStream in the order of their numbers. What this process commits it publishes from memory;
 * what another replica committed, or what was not published before a crash, it reads from the table. Of several replicas
 * one works: it holds the database's advisory lock, and the others tell it when they commit something. What was
 * acknowledged is remembered; after a crash the rest goes out again, and after a loss of the stream the last 72 h do.
 */
export function startRelay(options: RelayOptions): Relay {
  const stopping = new AbortController();
  let session: RelaySession | undefined;
  const holder = new HolderNotice(options);
  const ignore = onCommitted(options.pool, (events) => {
    if (session?.offer(events) !== true) holder.tell();
  });
  void (async () => {
    for await (const { type } of options.nc.status()) {
      if (stopping.signal.aborted) return;
      if (type === 'reconnect') session?.noteReconnect();
    }
  })();
  const done = (async () => {
    while (!stopping.signal.aborted) {
      session = new RelaySession(options, stopping.signal);
      try {
        await session.run();
      } catch (error) {
        if (!stopping.signal.aborted)
          options.logger.warn({ err: error, service: options.service }, 'the event relay starts again');
      } finally {
        await session.close();
        session = undefined;
      }
      await pause(500, stopping.signal);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      ignore();
      await done;
      await holder.told;
    },
  };
}

const schemaOf = (service: ServiceName) => service.replaceAll('-', '_');

/** Tells the replica that holds the lock that events were committed elsewhere, once for all that come close together. */
class HolderNotice {
  told: Promise<void> = Promise.resolve();
  private telling = false;

  constructor(private readonly options: RelayOptions) {}

  tell(): void {
    if (this.telling) return;
    this.telling = true;
    this.told = this.notify();
  }

  private async notify(): Promise<void> {
    const { pool, service, logger } = this.options;
    await pause(gatherMs);
    // Commits from here on are told anew.
    this.telling = false;
    await pool
      .query(`SELECT pg_notify($1, '')`, [eventChannel(schemaOf(service))])
      .catch((error: unknown) => {
        // The holder looks by itself every second.
        logger.debug({ err: error, service }, 'the relay could not be told of events');
      });
  }
}

/** One hold of the lock. */
class RelaySession {
  private readonly client: DatabaseClient;
  private readonly js: JetStreamClient;
  private lost: Error | undefined;
  private wake: () => void = () => {};
  private holds = false;
  /** Committed by this process, not yet published, in ascending order. */
  private recent: NumberedEvent[] = [];
  /** The table may hold what `recent` does not. */
  private unread = true;
  private published = 0;
  private readonly gathering = new Gathering();
  /** Until it looks without being told. */
  private pauseMs: number;
  /** The stream may be another one than a moment ago. */
  private reconnected = false;
  private incarnation: string | null = null;
  private lastSequence = 0;

  constructor(
    private readonly options: RelayOptions,
    private readonly signal: AbortSignal,
  ) {
    this.client = new DatabaseClient({
      connectionString: options.databaseUrl,
      application_name: `${options.service}-relay`,
      connectionTimeoutMillis: 3_000,
      ...connectionLimits,
      statement_timeout: wholeTableMs,
    });
    this.js = jetstream(options.nc, { timeout: 3_000 });
    this.pauseMs = this.pollMs;
  }

  async run(): Promise<void> {
    const lose = (error?: Error) => {
      this.lost ??= error ?? new Error('the connection ended');
      this.wake();
    };
    this.client.on('error', lose);
    this.client.on('end', () => lose());
    this.client.on('notification', () => {
      this.unread = true;
      this.wake();
    });
    const stop = () => this.wake();
    this.signal.addEventListener('abort', stop, { once: true });
    try {
      await this.work();
    } finally {
      this.signal.removeEventListener('abort', stop);
    }
  }

  private async work(): Promise<void> {
    await this.client.connect();
    await this.client.query(noticeVanishedPeer);
    if (!(await this.lock())) return;
    this.holds = true;
    await this.client.query(`LISTEN ${eventChannel(this.schema)}`);
    // Losing a checkpoint costs a second delivery, which readers expect; waiting for the disk would cost more.
    await this.client.query('SET synchronous_commit = off');
    await this.readCheckpoint();
    let checkedAt = Number.NEGATIVE_INFINITY;
    while (!this.signal.aborted) {
      if (this.lost !== undefined) throw this.lost;
      const woken = this.nextWake();
      if (this.reconnected || performance.now() - checkedAt >= this.pollMs) {
        this.reconnected = false;
        await this.followStream();
        checkedAt = performance.now();
        this.unread = true;
      }
      const before = this.published;
      await this.publish();
      const told = await woken;
      const quiet = !told && this.published === before;
      this.pauseMs = quiet ? Math.min(this.pauseMs * 2, this.pollMs * idlePauses) : this.pollMs;
      await this.gathering.next(this.signal);
    }
  }

  /** Where the connection was lost the stream may have been as well. */
  noteReconnect(): void {
    this.reconnected = true;
    this.wake();
  }

  /** Takes events just committed. @returns whether they are published from here */
  offer(events: readonly NumberedEvent[]): boolean {
    if (!this.holds || this.lost !== undefined) return false;
    this.recent.push(...events);
    // Two commits may be told in another order than they took place in.
    this.recent.sort((a, b) => Number(a.gpos) - Number(b.gpos));
    if (this.recent.length > maxRemembered) {
      this.recent = [];
      this.unread = true;
    }
    this.wake();
    return true;
  }

  async close(): Promise<void> {
    this.holds = false;
    await this.client.end().catch(() => {});
  }

  private get restMs(): number {
    const longest = this.pollMs * idlePauses;
    return this.pauseMs === longest ? untilMultipleOf(longest) : this.pauseMs;
  }

  private get pollMs(): number {
    return this.options.pollMs ?? 1_000;
  }

  private get schema(): string {
    return schemaOf(this.options.service);
  }

  /** Another replica may hold it: then this one waits until it goes. */
  private async lock(): Promise<boolean> {
    const { rows } = await this.client.query<{ got: boolean }>(
      'SELECT pg_try_advisory_lock($1, hashtext($2)) AS got',
      [relayLock, this.schema],
    );
    return rows[0]?.got === true;
  }

  private async readCheckpoint(): Promise<void> {
    const { rows } = await this.client.query<{ stream_incarnation: string | null; published_gpos: string }>(
      'SELECT stream_incarnation, published_gpos FROM relay_checkpoint',
    );
    this.incarnation = rows[0]?.stream_incarnation ?? null;
    this.published = Number(rows[0]?.published_gpos ?? 0);
  }

  /**
   * Resolves when something was appended, the connection is lost, it is time to look anyway, or we stop.
   * @returns whether somebody told of it
   */
  private nextWake(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), this.restMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  /**
   * A stream that is not the one we published to holds nothing of ours: what it is to hold goes out again.
   * @returns whether it is another one
   */
  private async followStream(): Promise<boolean> {
    const { nc, service, logger } = this.options;
    const stream = service === 'audit-ledger' ? await ensureEventStream(nc) : await eventStreamState(nc);
    if (stream === null || stream.incarnation === this.incarnation) return false;
    if (this.incarnation !== null) {
      const { rows } = await this.client.query<{ gpos: string | null }>({
        text: `SELECT min(p.gpos) - 1 AS gpos FROM event_position p JOIN event e USING (event_id)
          WHERE e.occurred_at > clock_timestamp() - make_interval(secs => $1)`,
        values: [eventStreamAgeMs / 1_000],
        ...wholeTable,
      });
      const from = rows[0]?.gpos;
      if (from !== null && from !== undefined) this.published = Math.min(this.published, Number(from));
      logger.warn(
        { from: this.published },
        'the event stream is a new one: recent events are published again',
      );
    }
    this.incarnation = stream.incarnation;
    this.lastSequence = 0;
    await this.checkpoint();
    return true;
  }

  private async publish(): Promise<void> {
    if (this.incarnation === null) return;
    for (;;) {
      if (this.signal.aborted || this.lost !== undefined) return;
      const next = await this.next();
      if (next.length === 0) return;
      const events = next.map((event) => toWireEvent(this.options.service, event));
      const acks = await Promise.all(messagesOf(events).map((message) => this.send(message)));
      const last = events.at(-1);
      // Numbers that went back mean another stream than a moment ago.
      if (Math.max(...acks) < this.lastSequence && (await this.followStream())) continue;
      this.lastSequence = Math.max(this.lastSequence, ...acks);
      this.published = last?.gpos ?? this.published;
      this.gathering.ended();
      await this.checkpoint();
    }
  }

  /** What is to be published next: from memory where nothing is missing before it, else from the table. */
  private async next(): Promise<NumberedEvent[]> {
    const start = this.recent.findIndex(({ gpos }) => Number(gpos) > this.published);
    this.recent = start === -1 ? [] : this.recent.slice(start);
    const gap = this.recent.findIndex(({ gpos }, i) => Number(gpos) !== this.published + i + 1);
    const known = this.recent.slice(0, Math.min(gap === -1 ? this.recent.length : gap, pageSize));
    if (known.length > 0) return known;
    if (!this.unread && this.recent.length === 0) return [];
    this.unread = false;
    const { rows } = await this.client.query<NumberedEvent>({
      name: 'next-events',
      text: `SELECT ${storedColumns}, p.gpos, p.source_seq FROM event_position p JOIN event e USING (event_id)
          WHERE p.gpos > $1 ORDER BY p.gpos LIMIT $2`,
      values: [this.published, pageSize],
    });
    if (rows.length > 0) this.unread = true;
    return rows;
  }

  private async send(events: readonly WireEvent[]): Promise<number> {
    const [first] = events;
    if (first === undefined) throw new Error('a message holds at least one event');
    const { seq } = await this.js.publish(
      eventSubject(first.org_id, first.type),
      JSON.stringify({ events }),
      {
        msgID: `${first.event_id}-${String(events.length)}`,
        timeout: 3_000,
      },
    );
    return seq;
  }

  private async checkpoint(): Promise<void> {
    await this.client.query({
      name: 'checkpoint',
      text: 'UPDATE relay_checkpoint SET stream_incarnation = $1, published_gpos = $2',
      values: [this.incarnation, this.published],
    });
  }
}

/** Runs of consecutive events with one subject, within the limits of a message. */
export function messagesOf(events: readonly WireEvent[]): WireEvent[][] {
  const messages: WireEvent[][] = [];
  let subject = '';
  let bytes = 0;
  for (const event of events) {
    const size = JSON.stringify(event).length;
    const own = eventSubject(event.org_id, event.type);
    const current = messages.at(-1);
    if (
      current !== undefined &&
      own === subject &&
      current.length < messageLimits.events &&
      bytes + size <= messageLimits.bytes
    ) {
      current.push(event);
      bytes += size;
    } else {
      messages.push([event]);
      subject = own;
      bytes = size;
    }
  }
  return messages;
}

const pause = (ms: number, signal?: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => {});
