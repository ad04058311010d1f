import { idle, PeriodicTask } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';

export interface RevisionWatchOptions {
  /** What the revision is of, for the log: `keys`, `policies`. */
  readonly of: string;
  readonly pool: Pick<pg.Pool, 'query' | 'connect'>;
  /** The channel that every change of the revision is notified on. */
  readonly channel: string;
  /**
   * Takes in what changed, after each reading of the revision. The reading counts once this returned; when it throws, the
   * reading failed.
   */
  readonly onReading: (revision: string) => void | Promise<void>;
  readonly logger: Logger;
  readonly pollMs?: number;
  /** After so long without use the polls become rare: notifications suffice, and the next use reads the revision first. */
  readonly idleAfterMs?: number;
  readonly idlePollMs?: number;
  readonly staleAfterMs?: number;
}

/** The time-out ends soon after what is in memory is stale, so that another connection is tried. */
const readRevisionStatement = {
  text: 'SELECT value, extract(epoch FROM clock_timestamp()) * 1000 AS now FROM revision',
  query_timeout: 1_500,
};

/**
 * Keeps memory in step with the tables of a service. Each change of them raises the single row `revision` in its transaction
 * and notifies the channel; the watch reads the row on every notification and four times a second. Memory is fresh while the
 * last reading that counts was sent no longer than a second ago: every change committed before that is known.
 */
export class RevisionWatch {
  /** Monotonic time at which the last reading that counts was sent. */
  private readAt = Number.NEGATIVE_INFINITY;
  /** Epoch milliseconds of the database at a monotonic time. */
  private clock = { database: Date.now(), monotonic: performance.now() };
  private readonly madeAt = performance.now();
  private readonly idleAfterMs: number;
  private usedAt = performance.now();
  private reading: Promise<void> | undefined;
  private listener: pg.PoolClient | undefined;
  private stopped = false;
  private readonly polls: PeriodicTask;

  constructor(private readonly options: RevisionWatchOptions) {
    const { of, pollMs = 250, idleAfterMs = 5_000, idlePollMs = 10_000, logger } = options;
    this.idleAfterMs = idleAfterMs;
    const poll = async () => {
      await this.read();
      return performance.now() - this.usedAt > idleAfterMs ? idle : undefined;
    };
    this.polls = new PeriodicTask(`reading the revision of ${of}`, pollMs, poll, logger, idlePollMs);
  }

  /** Resolves after the first reading, whether it succeeded or not. */
  async start(): Promise<void> {
    await this.read();
    if (!this.stopped) this.polls.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.polls.stop();
    await this.reading;
    this.listener?.release(true);
    this.listener = undefined;
  }

  /** To be called with every use of what is in memory: the polls are frequent while it is used. */
  used(): void {
    this.usedAt = performance.now();
    this.polls.hasten();
  }

  /** True when every change that was committed a second ago is known. */
  isFresh(): boolean {
    return performance.now() - this.readAt <= (this.options.staleAfterMs ?? 1_000);
  }

  /** How old memory may be, in seconds: the time since the last reading that counts; 0 while it is not used. */
  get ageSeconds(): number {
    const now = performance.now();
    if (now - this.usedAt > this.idleAfterMs) return 0;
    return (now - Math.max(this.readAt, this.madeAt)) / 1_000;
  }

  /**
   * Reads the revision unless memory is fresh. Under load the answer to an older reading may be unread, so there is a second
   * one; callers at the same time share both. Never rejects.
   * @returns whether memory is fresh now; false also when that takes too long
   */
  becomesFresh(withinMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    return within(withinMs, async () => {
      for (let readings = 0; readings < 2 && !this.isFresh(); readings += 1) await this.read();
      return this.isFresh();
    });
  }

  /** True once everything committed before the call is known, false when that fails or takes too long. Never rejects. */
  caughtUp(withinMs: number): Promise<boolean> {
    const since = performance.now();
    return within(withinMs, async () => {
      for (let readings = 0; readings < 2 && this.readAt < since; readings += 1) await this.readAnew();
      return this.readAt >= since;
    });
  }

  /** Epoch milliseconds by the database's clock: one clock for all replicas, whatever the clocks of their hosts show. */
  now(): number {
    return Math.floor(this.clock.database + performance.now() - this.clock.monotonic);
  }

  /** Reads the revision, or waits for the reading that is under way. Never rejects; a failure is logged. */
  read(): Promise<void> {
    this.reading ??= this.readOnce().finally(() => (this.reading = undefined));
    return this.reading;
  }

  /** A reading that begins after the call. */
  async readAnew(): Promise<void> {
    if (this.reading !== undefined) await this.reading;
    await this.read();
  }

  private async readOnce(): Promise<void> {
    if (this.stopped) return;
    const { pool, onReading, of, logger } = this.options;
    const sentAt = performance.now();
    try {
      const { rows } = await pool.query<{ value: string; now: string }>(readRevisionStatement);
      const [row] = rows;
      if (row === undefined) throw new Error('the revision is missing');
      this.clock = { database: Number(row.now), monotonic: performance.now() };
      await onReading(row.value);
      this.readAt = sentAt;
      if (this.listener === undefined && !this.stopped) await this.listen();
    } catch (error) {
      if (!this.stopped) logger.warn({ err: error }, `the revision of ${of} cannot be read`);
    }
  }

  /** A notification makes a change known at once; the polls find what a lost notification would have announced. */
  private async listen(): Promise<void> {
    const client = await this.options.pool.connect();
    this.listener = client;
    const lose = (error: Error) => {
      if (this.listener !== client) return;
      this.listener = undefined;
      client.release(error);
    };
    client.once('error', lose);
    client.on('notification', () => void this.readAnew());
    await client.query(`LISTEN ${this.options.channel}`).catch((error: Error) => {
      lose(error);
      throw error;
    });
    // A change between the reading and LISTEN was not notified.
    void this.readAnew();
  }
}

/** False when the work takes longer. */
async function within(ms: number, work: () => Promise<boolean>): Promise<boolean> {
  if (ms === Number.POSITIVE_INFINITY) return work();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  return Promise.race([work(), late]).finally(() => clearTimeout(timer));
}
