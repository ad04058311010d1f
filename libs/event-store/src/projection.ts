import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DomainEvent,
  eventTypesOf,
  readEvent,
  replay as replayCommand,
  type ServiceName,
  type WireEvent,
} from '@agentlattice/contracts';
import { type CommandClient, consumeEvents } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { intakeLagSeconds, onItsWaySeconds } from './lag.js';
import { Ending, inTransaction, type Statement, type Tx } from './transaction.js';
import { untilMultipleOf } from './resting-pause.js';

export type ProjectedEvent = WireEvent & DomainEvent;

interface ProjectionSettings {
  readonly pool: pg.Pool;
  readonly nc: NatsConnection;
  readonly client: CommandClient;
  /** Durable consumer, and the name under which positions are kept. */
  readonly durable: string;
  /** Services whose events are projected. */
  readonly sources: readonly ServiceName[];
  /** Default: all types of these services. To take all of one source costs less than to leave a few out. */
  readonly types?: readonly string[];
  /** Only events whose data have these members; the source leaves out the others. For one that only asks. */
  readonly containing?: Readonly<Record<string, string>>;
  readonly logger: Logger;
  /** How often sources are asked for what was missed; default 30 s. */
  readonly checkEveryMs?: number;
  /** How long the pauses between two such questions may grow while there is nothing new; default: they do not. */
  readonly idleEveryMs?: number;
  /** For events that nobody waits for: sources are only asked, so many events cost little more than one. */
  readonly onlyAsks?: boolean;
  /** Told after a commit that handled events here: what they ask for can be begun at once. */
  readonly onApplied?: () => void;
}

/** Each event once and in the source's order, inside the transaction that remembers it: one by one or all of a batch. */
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
  /** Sources that were not heard to the end since the start. */
  behind(): ServiceName[];
  /** Asks a source for everything that is not yet known here. @throws Unavailable while it does not answer */
  catchUp(source: ServiceName): Promise<void>;
  /** The same for who cannot wait. @returns whether the source told all it had to tell within that time */
  caughtUpWithin(source: ServiceName, withinMs: number): Promise<boolean>;
  /**
   * The age of the source's oldest event that is not applied here, in seconds; 0 when there is none. One that was not just
   * on its way is fetched at once, so to measure the lag also heals it.
   */
  lagSeconds(source: ServiceName): Promise<number>;
  stop(): Promise<void>;
}

const pageSize = 500;
const retryAfterMs = 1_000;

/**
 * Applies the events of other services exactly once and in order. JetStream brings them quickly; what it loses,
 * repeats or shuffles is noticed by `gpos` and fetched from the source itself.
 */
export function startProjection(options: ProjectionOptions): Projection {
  const projection = new RunningProjection(options);
  projection.start();
  return projection;
}

class RunningProjection implements Projection {
  /** Up to here a source has nothing for us: positions are written down only with events. */
  private readonly nothingUpTo = new Map<ServiceName, number>();
  private readonly heard = new Set<ServiceName>();
  private readonly running = new Map<ServiceName, Promise<void>>();
  private readonly asked = new Set<ServiceName>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private stopped = false;
  /** How often events were applied. */
  private applied = 0;
  private stopConsumer: () => Promise<void> = () => Promise.resolve();

  constructor(private readonly options: ProjectionOptions) {}

  start(): void {
    const { nc, durable, types, logger, sources, onlyAsks = false } = this.options;
    if (!onlyAsks) {
      const consumer = consumeEvents(nc, {
        durable,
        types,
        logger,
        onMessage: (events) => this.receive(events),
      });
      this.stopConsumer = () => consumer.stop();
    }
    for (const source of sources) this.check(source);
    this.checkAfter(this.checkEveryMs);
    void this.checkOnReconnect();
  }

  private get checkEveryMs(): number {
    return this.options.checkEveryMs ?? 30_000;
  }

  private checkAfter(ms: number): void {
    const { applied } = this;
    const { idleEveryMs = this.checkEveryMs } = this.options;
    const rests = ms === idleEveryMs && idleEveryMs > this.checkEveryMs;
    const timer = setTimeout(
      () => {
        this.timers.delete(timer);
        for (const source of this.options.sources) this.check(source);
        this.checkAfter(this.applied === applied ? Math.min(ms * 2, idleEveryMs) : this.checkEveryMs);
      },
      rests ? untilMultipleOf(ms) : ms,
    );
    this.timers.add(timer);
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
      position: async () => Math.max(await this.checked(source), this.nothingUpTo.get(source) ?? 0),
      known: () => this.nothingUpTo.get(source),
      nothingUpTo: (gpos) => this.nothingUpTo.set(source, gpos),
    });
    if (lag > onItsWaySeconds) this.check(source);
    return lag;
  }

  behind(): ServiceName[] {
    return this.options.sources.filter((source) => !this.heard.has(source));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    await this.stopConsumer();
    await Promise.allSettled(this.running.values());
  }

  /** One run at a time per source; who comes while one runs waits for a run that began after. */
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
      if (status.type === 'reconnect') for (const source of this.options.sources) this.check(source);
    }
  }

  /** Catches up behind the scenes, again and again until it succeeds. */
  private check(source: ServiceName): void {
    if (this.stopped || this.asked.has(source)) return;
    this.asked.add(source);
    this.catchUp(source).then(
      () => this.asked.delete(source),
      (error: unknown) => {
        this.options.logger.debug(
          { err: error, source, durable: this.options.durable },
          'a source does not answer',
        );
        const timer = setTimeout(() => {
          this.timers.delete(timer);
          this.asked.delete(source);
          this.check(source);
        }, retryAfterMs);
        this.timers.add(timer);
      },
    );
  }

  private async receive(events: readonly WireEvent[]): Promise<void> {
    for (const source of this.options.sources) {
      const own = events.filter((event) => event.source === source);
      if (own.length === 0) continue;
      // Where types are left out a gap says nothing, so the source is asked; else only a gap makes us ask.
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
    for (;;) {
      if (this.stopped) return;
      const after_gpos = await this.checked(source);
      const page = await client.request(replayCommand(source), {
        after_gpos,
        limit: pageSize,
        ...(types === undefined ? {} : { types: [...types] }),
        ...(containing === undefined ? {} : { containing: { ...containing } }),
      });
      if (page.through_gpos > after_gpos) await this.applyPage(source, page.events, page.through_gpos);
      if (page.through_gpos >= page.head_gpos) break;
      if (page.through_gpos <= after_gpos) throw new Error(`${source} does not get on with its replay`);
    }
    this.heard.add(source);
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
        return new Ending([this.movingTo(first.source, last)], () => true);
      },
      [this.lockingPosition(first.source)],
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
        return new Ending([this.movingTo(source, through)], () => true);
      },
      [this.lockingPosition(source)],
    );
    if (events.length > 0) this.noteApplied();
  }

  private noteApplied(): void {
    this.applied += 1;
    this.options.onApplied?.();
  }

  /** Nobody else moves it before our commit. */
  private lockingPosition(source: ServiceName): Statement {
    return {
      text: `INSERT INTO consumer_position (consumer, source) VALUES ($1, $2)
       ON CONFLICT (consumer, source) DO UPDATE SET checked_gpos = consumer_position.checked_gpos
       RETURNING checked_gpos`,
      values: [this.options.durable, source],
    };
  }

  private movingTo(source: ServiceName, through: number): Statement {
    return {
      text: 'UPDATE consumer_position SET checked_gpos = $3 WHERE consumer = $1 AND source = $2',
      values: [this.options.durable, source, through],
    };
  }

  private async handleNew(tx: Tx, events: readonly WireEvent[]): Promise<void> {
    const { durable, handle, handleAll } = this.options;
    if (events.length === 0) return;
    // An event that is known under another number was renumbered by a restored source; it must not count twice.
    const { rows } = await tx.query<{ event_id: string }>(
      `INSERT INTO inbox (consumer, event_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING RETURNING event_id`,
      [durable, events.map((event) => event.event_id)],
    );
    const fresh = new Set(rows.map((row) => row.event_id));
    const known = events.filter((event) => fresh.has(event.event_id)).map(readEvent);
    if (handle !== undefined) for (const event of known) await handle(tx, event);
    else if (known.length > 0) await handleAll(tx, known);
  }
}

const positionIn = (answer: pg.QueryResult | undefined) =>
  Number((answer?.rows[0] as { checked_gpos: string } | undefined)?.checked_gpos ?? 0);

/** Those after `checked`, each once, ascending. */
function inOrder(events: readonly WireEvent[], checked: number): WireEvent[] {
  const byPosition = new Map(events.filter(({ gpos }) => gpos > checked).map((event) => [event.gpos, event]));
  return [...byPosition.values()].sort((a, b) => a.gpos - b.gpos);
}
