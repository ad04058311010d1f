import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DomainEvent,
  eventTypesOf,
  readEvent,
  type ServiceName,
  type WireEvent,
} from '@agentlattice/contracts';
import { type CommandClient, consumeEvents } from '@agentlattice/messaging';
import { type Logger, recordSpan } from '@agentlattice/observability';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { intakeLagSeconds, inTransitSeconds } from './lag.js';
import { idle, PeriodicTask } from './periodic-task.js';
import { inOrder, readToHead } from './read-source.js';
import { RetriedWork } from './retried-work.js';
import type { Statement } from './statement.js';
import { Ending, inTransaction, type Tx } from './transaction.js';

export type ProjectedEvent = WireEvent & DomainEvent;

interface ProjectionSettings {
  readonly pool: pg.Pool;
  readonly nc: NatsConnection;
  readonly client: CommandClient;
  /** The durable consumer, and the name under which positions are stored. */
  readonly durable: string;
  /** Services whose events are projected. */
  readonly sources: readonly ServiceName[];
  /** Default: all types of these services. Reading all types of a source is cheaper than leaving out a few. */
  readonly types?: readonly string[];
  /** Only events whose data have these members; the source leaves out the others. Needs `onlyAsks`. */
  readonly containing?: Readonly<Record<string, string>>;
  readonly logger: Logger;
  /** How often sources are asked for missed events; default 30 s. */
  readonly checkEveryMs?: number;
  /** The longest pause between two such queries while there is nothing new; default: they do not grow. */
  readonly idleEveryMs?: number;
  /**
   * For events that are not urgent: sources are asked and the stream is not read, so many events cost little more than one.
   */
  readonly onlyAsks?: boolean;
  /** Called after a commit that handled events, so that work that depends on them can begin at once. */
  readonly onApplied?: () => void;
}

/**
 * Each event once and in the source's order, inside the transaction that stores the position: one by one, or a batch
 * together.
 */
type Handling =
  | { readonly handle: (tx: Tx, event: ProjectedEvent) => Promise<void>; readonly handleAll?: never }
  | {
      readonly handleAll: (tx: Tx, events: readonly ProjectedEvent[]) => Promise<void>;
      readonly handle?: never;
    };
export type ProjectionOptions = ProjectionSettings & Handling;

export interface Projection {
  readonly durable: string;
  readonly sources: readonly ServiceName[];
  /** Sources that were not read to their last event since the start. */
  behind(): ServiceName[];
  /** Asks a source for everything that is not yet known here. @throws Unavailable while it does not answer */
  catchUp(source: ServiceName): Promise<void>;
  /** The same with a time limit. @returns whether the source answered to its last event within that time */
  caughtUpWithin(source: ServiceName, withinMs: number): Promise<boolean>;
  /**
   * The age of the source's oldest event that is not applied here, in seconds; 0 when there is none. A late event is fetched
   * at once, so measuring the lag also repairs it.
   */
  lagSeconds(source: ServiceName): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Applies the events of other services exactly once and in order. JetStream delivers them quickly; lost, repeated and
 * shuffled events are noticed by `gpos`, and missing ones are fetched from the source.
 */
export function startProjection(options: ProjectionOptions): Projection {
  const projection = new RunningProjection(options);
  projection.start();
  return projection;
}

class RunningProjection implements Projection {
  /** Up to this number a source has no event for us; the stored position is written only with events. */
  private readonly emptyUpTo = new Map<ServiceName, number>();
  private readonly readToEnd = new Set<ServiceName>();
  private readonly running = new Map<ServiceName, Promise<void>>();
  private readonly checks: ReadonlyMap<ServiceName, RetriedWork>;
  private readonly checking: PeriodicTask;
  private stopped = false;
  /** How often events were applied. */
  private applied = 0;
  private stopConsumer: () => Promise<void> = () => Promise.resolve();

  constructor(private readonly options: ProjectionOptions) {
    const { sources, durable, logger, checkEveryMs = 30_000, idleEveryMs = checkEveryMs } = options;
    this.checks = new Map(
      sources.map((source) => [
        source,
        new RetriedWork(
          () => this.catchUp(source),
          (error) => logger.debug({ err: error, source, durable }, 'a source does not answer'),
        ),
      ]),
    );
    let applied = 0;
    const check = () => {
      const isIdle = this.applied === applied;
      applied = this.applied;
      this.checkAll();
      return Promise.resolve(isIdle ? idle : undefined);
    };
    this.checking = new PeriodicTask(`checking ${durable}`, checkEveryMs, check, logger, idleEveryMs);
  }

  start(): void {
    const { nc, durable, types, logger, onlyAsks = false } = this.options;
    if (!onlyAsks) {
      const consumer = consumeEvents(nc, {
        durable,
        types,
        logger,
        onMessage: (events) => this.receive(events),
      });
      this.stopConsumer = () => consumer.stop();
    }
    this.checkAll();
    this.checking.start();
    void this.checkOnReconnect();
  }

  get durable(): string {
    return this.options.durable;
  }

  get sources(): readonly ServiceName[] {
    return this.options.sources;
  }

  async lagSeconds(source: ServiceName): Promise<number> {
    const { pool, client, types } = this.options;
    const lag = await intakeLagSeconds({
      pool,
      client,
      source,
      types,
      position: async () => Math.max(await this.checked(source), this.emptyUpTo.get(source) ?? 0),
      known: () => this.emptyUpTo.get(source),
      emptyUpTo: (gpos) => this.emptyUpTo.set(source, gpos),
    });
    if (lag > inTransitSeconds) this.checks.get(source)?.begin();
    return lag;
  }

  behind(): ServiceName[] {
    return this.options.sources.filter((source) => !this.readToEnd.has(source));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const check of this.checks.values()) check.stop();
    await this.checking.stop();
    await this.stopConsumer();
    await Promise.allSettled(this.running.values());
  }

  /** One run at a time per source; a call while one runs waits for a run that began after the call. */
  async catchUp(source: ServiceName): Promise<void> {
    const current = this.running.get(source);
    if (current !== undefined) {
      await current.catch(() => {});
      const next = this.running.get(source);
      if (next !== undefined) return next;
    }
    const run = this.readToHead(source).finally(() => this.running.delete(source));
    this.running.set(source, run);
    return run;
  }

  async caughtUpWithin(source: ServiceName, withinMs: number): Promise<boolean> {
    const over = new AbortController();
    try {
      const late = sleep(withinMs, false, { signal: over.signal });
      return await Promise.race([this.catchUp(source).then(() => true), late]);
    } catch {
      return false;
    } finally {
      over.abort();
    }
  }

  private async checkOnReconnect(): Promise<void> {
    for await (const status of this.options.nc.status()) {
      if (this.stopped) return;
      if (status.type === 'reconnect') this.checkAll();
    }
  }

  /** Catches up with every source in the background, again and again until it succeeds. */
  private checkAll(): void {
    for (const check of this.checks.values()) check.begin();
  }

  private async receive(events: readonly WireEvent[]): Promise<void> {
    for (const source of this.options.sources) {
      const own = events.filter((event) => event.source === source);
      if (own.length === 0) continue;
      // If types are left out, gaps are normal, so the source is always asked; otherwise only after a gap.
      if (this.takesAll(source) && (await this.apply(own))) continue;
      const last = Math.max(...own.map((event) => event.gpos));
      if ((await this.checked(source)) >= last) continue;
      await this.catchUp(source);
      if ((await this.checked(source)) < last)
        throw new Error(`${source} does not know its own event ${String(last)}`);
    }
  }

  private takesAll(source: ServiceName): boolean {
    const { types } = this.options;
    return types === undefined || eventTypesOf(source).every((type) => types.includes(type));
  }

  private async readToHead(source: ServiceName): Promise<void> {
    const { client, types, containing } = this.options;
    const reachedHead = await readToHead({
      client,
      source,
      types,
      containing,
      position: () => this.checked(source),
      take: (events, through) => this.applyPage(source, events, through),
      stopped: () => this.stopped,
    });
    if (reachedHead) this.readToEnd.add(source);
  }

  private async checked(source: ServiceName): Promise<number> {
    const { rows } = await this.options.pool.query<{ checked_gpos: string }>(
      'SELECT checked_gpos FROM consumer_position WHERE consumer = $1 AND source = $2',
      [this.options.durable, source],
    );
    return Number(rows[0]?.checked_gpos ?? 0);
  }

  /** @returns false when something is missing before these events */
  private async apply(events: readonly WireEvent[]): Promise<boolean> {
    const [first] = events;
    if (first === undefined) return true;
    const applied = await inTransaction<boolean>(
      this.options.pool,
      async (tx, [position]) => {
        const checked = positionIn(position);
        const next = inOrder(events, checked);
        const last = next.at(-1)?.gpos ?? checked;
        if (last !== checked + next.length) return false;
        await this.handleNew(tx, next);
        return new Ending([this.movePositionStatement(first.source, last)], () => true);
      },
      [this.lockPositionStatement(first.source)],
    );
    this.noteApplied();
    return applied;
  }

  private async applyPage(source: ServiceName, events: readonly WireEvent[], through: number): Promise<void> {
    if (events.some((event) => event.source !== source))
      throw new Error(`${source} replayed a foreign event`);
    await inTransaction<boolean>(
      this.options.pool,
      async (tx, [position]) => {
        const checked = positionIn(position);
        if (through <= checked) return false;
        await this.handleNew(tx, inOrder(events, checked));
        return new Ending([this.movePositionStatement(source, through)], () => true);
      },
      [this.lockPositionStatement(source)],
    );
    if (events.length > 0) this.noteApplied();
  }

  private noteApplied(): void {
    this.applied += 1;
    this.options.onApplied?.();
  }

  /** No other process changes it before our commit. */
  private lockPositionStatement(source: ServiceName): Statement {
    return {
      text: `INSERT INTO consumer_position (consumer, source) VALUES ($1, $2)
       ON CONFLICT (consumer, source) DO UPDATE SET checked_gpos = consumer_position.checked_gpos
       RETURNING checked_gpos`,
      values: [this.options.durable, source],
    };
  }

  private movePositionStatement(source: ServiceName, through: number): Statement {
    return {
      text: 'UPDATE consumer_position SET checked_gpos = $3 WHERE consumer = $1 AND source = $2',
      values: [this.options.durable, source, through],
    };
  }

  private async handleNew(tx: Tx, events: readonly WireEvent[]): Promise<void> {
    const { durable, handle, handleAll } = this.options;
    if (events.length === 0) return;
    const startedAt = performance.now();
    // A known event with another number was renumbered by a restored source; it must not be applied twice.
    const { rows } = await tx.query<{ event_id: string }>(
      `INSERT INTO inbox (consumer, event_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING RETURNING event_id`,
      [durable, events.map((event) => event.event_id)],
    );
    const fresh = new Set(rows.map((row) => row.event_id));
    const known = events.filter((event) => fresh.has(event.event_id)).map(readEvent);
    if (handle !== undefined) for (const event of known) await handle(tx, event);
    else if (known.length > 0) await handleAll(tx, known);
    const attributes = { 'messaging.system': 'nats', 'messaging.consumer.group.name': durable };
    for (const { type, traceparent } of known)
      recordSpan(`process ${type}`, { traceparent, kind: 'consumer', attributes, startedAt });
  }
}

const positionIn = (answer: pg.QueryResult | undefined) =>
  Number((answer?.rows[0] as { checked_gpos: string } | undefined)?.checked_gpos ?? 0);
