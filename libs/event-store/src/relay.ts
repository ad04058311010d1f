import { setTimeout as sleep } from 'node:timers/promises';
import { eventSubject, type ServiceName, type WireEvent } from '@agentlattice/contracts';
import { ensureEventStream, eventStreamAgeMs, eventStreamState } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectionLimits, noticeVanishedPeer } from './connection-limits.js';
import { DatabaseClient } from './database-client.js';
import { eventChannel } from './event-store-migration.js';
import { type NumberedRow, storedColumns, toWireEvent } from './stored-event.js';

export interface RelayOptions {
  readonly databaseUrl: string;
  readonly nc: NatsConnection;
  readonly service: ServiceName;
  readonly logger: Logger;
  /** How often it looks without being told; default 1 s. */
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
/** While events keep coming, those of this time go out together: nobody's answer waits for the relay. */
const gatherMs = 40;
const messageLimits = { events: 128, bytes: 256 * 1024 } as const;

/**
 * Carries committed events to JetStream. It numbers them after their commit, so that `gpos` (per service) and
 * `source_seq` (per workspace) have no gaps whatever order transactions end in, and publishes in that order. Of several
 * replicas one works: it holds the database's advisory lock. What was acknowledged is remembered; after a crash the rest
 * goes out again, and after a loss of the stream the last 72 h do.
 */
export function startRelay(options: RelayOptions): Relay {
  const stopping = new AbortController();
  const done = (async () => {
    while (!stopping.signal.aborted) {
      const session = new RelaySession(options, stopping.signal);
      try {
        await session.run();
      } catch (error) {
        if (!stopping.signal.aborted)
          options.logger.warn({ err: error, service: options.service }, 'the event relay starts again');
      } finally {
        await session.close();
      }
      await pause(500, stopping.signal);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}

/** One hold of the lock. */
class RelaySession {
  private readonly client: DatabaseClient;
  private readonly js: JetStreamClient;
  private lost: Error | undefined;
  private wake: () => void = () => {};
  /** Transactions below it are over and all their events numbered; 0 looks at the whole table. */
  private settledXid = '0';
  private published = 0;
  /** Monotonic. */
  private publishedAt = Number.NEGATIVE_INFINITY;
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
  }

  async run(): Promise<void> {
    const lose = (error?: Error) => {
      this.lost ??= error ?? new Error('the connection ended');
      this.wake();
    };
    this.client.on('error', lose);
    this.client.on('end', () => lose());
    this.client.on('notification', () => this.wake());
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
    await this.client.query(`LISTEN ${eventChannel(this.schema)}`);
    await this.readCheckpoint();
    let checkedAt = Number.NEGATIVE_INFINITY;
    while (!this.signal.aborted) {
      if (this.lost !== undefined) throw this.lost;
      const woken = this.nextWake();
      // First: who asks for events by replay gets numbered ones also while the stream is away.
      const full = await this.number();
      if (performance.now() - checkedAt >= this.pollMs) {
        await this.followStream();
        checkedAt = performance.now();
      }
      await this.publish();
      if (full) continue;
      await woken;
      const restMs = this.publishedAt + gatherMs - performance.now();
      if (restMs > 0) await pause(restMs, this.signal);
    }
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => {});
  }

  private get pollMs(): number {
    return this.options.pollMs ?? 1_000;
  }

  private get schema(): string {
    return this.options.service.replaceAll('-', '_');
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

  /** Resolves when something was appended, the connection is lost, it is time to look anyway, or we stop. */
  private nextWake(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.pollMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
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

  /**
   * Numbers what is committed and has no number yet. Inside a stream the order of ids is the order of versions: nobody
   * can insert version n+1 before version n was committed.
   * @returns whether there may be more
   */
  private async number(): Promise<boolean> {
    const { rows } = await this.client.query<{ xmin: string }>(
      'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin',
    );
    const numbering = {
      text: `WITH fresh AS MATERIALIZED (
         SELECT e.id, e.event_id, e.org_id FROM event e
          WHERE e.xid >= $1::text::xid8
            AND NOT EXISTS (SELECT FROM event_position p WHERE p.event_id = e.event_id)
          ORDER BY e.id LIMIT $2),
       last AS MATERIALIZED (
         SELECT o.org_id, (SELECT p.source_seq FROM event_position p WHERE p.org_id = o.org_id
                            ORDER BY p.source_seq DESC LIMIT 1) AS source_seq
           FROM (SELECT DISTINCT org_id FROM fresh) o)
       INSERT INTO event_position (event_id, org_id, gpos, source_seq)
       SELECT f.event_id, f.org_id,
              (SELECT coalesce(max(gpos), 0) FROM event_position) + row_number() OVER (ORDER BY f.id),
              coalesce(l.source_seq, 0) + row_number() OVER (PARTITION BY f.org_id ORDER BY f.id)
         FROM fresh f JOIN last l USING (org_id)`,
      values: [this.settledXid, pageSize],
      ...(this.settledXid === '0' && wholeTable),
    };
    const { rowCount } = await this.client.query(numbering);
    const full = rowCount === pageSize;
    if (!full) this.settledXid = rows[0]?.xmin ?? '0';
    return full;
  }

  private async publish(): Promise<void> {
    if (this.incarnation === null) return;
    for (;;) {
      if (this.signal.aborted || this.lost !== undefined) return;
      const { rows } = await this.client.query<NumberedRow>(
        `SELECT ${storedColumns}, p.gpos, p.source_seq FROM event_position p JOIN event e USING (event_id)
          WHERE p.gpos > $1 ORDER BY p.gpos LIMIT $2`,
        [this.published, pageSize],
      );
      if (rows.length === 0) return;
      const events = rows.map((row) => toWireEvent(this.options.service, row));
      const acks = await Promise.all(messagesOf(events).map((message) => this.send(message)));
      const last = events.at(-1);
      // Numbers that went back mean another stream than a moment ago.
      if (Math.max(...acks) < this.lastSequence && (await this.followStream())) continue;
      this.lastSequence = Math.max(this.lastSequence, ...acks);
      this.published = last?.gpos ?? this.published;
      this.publishedAt = performance.now();
      await this.checkpoint();
      if (rows.length < pageSize) return;
    }
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
    await this.client.query('UPDATE relay_checkpoint SET stream_incarnation = $1, published_gpos = $2', [
      this.incarnation,
      this.published,
    ]);
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

const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => {});
