import { connectionLimits } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import { createPostgresBackend, type Job, Queue, runMigrations, withBackend, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';

export type AlarmKind = 'deadline' | 'escalation';

/** References only: the database decides what is due. */
export interface Alarm {
  readonly kind: AlarmKind;
  readonly orgId: string;
  readonly approvalId: string;
  readonly at: Date;
  /** The version of the stream when it was set, so that a changed time is another job. */
  readonly version: number;
  readonly traceparent: string | null;
}

export interface AlarmClock {
  /** Returns at once and never fails: the sweep finds due requests without an alarm. */
  set(alarms: readonly Alarm[]): void;
}

interface AlarmData {
  org_id: string;
  approval_id: string;
  traceparent: string | null;
}

export interface DeadlineAlarmsOptions {
  readonly databaseUrl: string;
  /** Undefined: the jobs are stored in PostgreSQL. */
  readonly redisUrl: string | undefined;
  readonly logger: Logger;
  readonly onDue: (due: {
    kind: AlarmKind;
    orgId: string;
    approvalId: string;
    traceparent: string | null;
  }) => Promise<unknown>;
}

const queueName = 'approval-deadlines';
const jobsSchema = 'approval_service_jobs';
const maxSetting = 5_000;
const jobOptions = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: 3,
  backoff: { type: 'fixed', delay: 500 },
};

const dataOf = ({ orgId, approvalId, traceparent }: Alarm): AlarmData => ({
  org_id: orgId,
  approval_id: approvalId,
  traceparent,
});
const optionsOf = ({ kind, approvalId, version, at }: Alarm) => ({
  ...jobOptions,
  jobId: `${approvalId}-${kind}-${String(version)}`,
  delay: Math.max(0, at.getTime() - Date.now()),
});

type AlarmQueue = Pick<Queue<AlarmData>, 'add' | 'close' | 'on' | 'waitUntilReady'>;
type AlarmWorker = Pick<Worker<AlarmData>, 'close' | 'on' | 'waitUntilReady' | 'run'>;
interface Open {
  readonly queue: AlarmQueue;
  readonly worker: AlarmWorker;
}

const pauseMs = { first: 1_000, longest: 30_000 };
/** After this many errors within this time, everything is opened again. */
const errorLimit = { count: 5, withinMs: 10_000 };
const closeWithinMs = 5_000;
/** PostgreSQL notifies of every job that is added, and the wait ends when the next one is due. */
const jobsSilentSeconds = 30;

/**
 * BullMQ's delayed jobs as hints: they may fire twice, late or never. After an error while connecting, BullMQ retries forever
 * without a pause. So it is not used before it is connected, and after repeated errors everything is opened again a while
 * later.
 */
export class DeadlineAlarms implements AlarmClock {
  private current: Open | undefined;
  private readonly connections: Redis[] = [];
  private retry: NodeJS.Timeout | undefined;
  private stopped = false;
  private setting = 0;
  private failures = 0;
  private readonly givenUp = new WeakSet<Open>();
  private errors = { count: 0, since: Number.NEGATIVE_INFINITY };

  constructor(private readonly options: DeadlineAlarmsOptions) {}

  /** Connects in the background: without alarms the sweep does the work. */
  start(): void {
    this.open().catch((error: unknown) => {
      this.options.logger.warn({ err: error }, 'timers are not available yet');
      this.startLater();
    });
  }

  set(alarms: readonly Alarm[]): void {
    if (alarms.length === 0 || this.current === undefined) return;
    const { logger } = this.options;
    if (this.setting + alarms.length > maxSetting)
      return logger.warn({ alarms: alarms.length }, 'timers are behind; the sweep handles these requests');
    const { queue } = this.current;
    for (const alarm of alarms) {
      this.setting += 1;
      // One by one: in PostgreSQL adding several needs a right to temporary tables, which our role does not have.
      queue
        .add(alarm.kind, dataOf(alarm), optionsOf(alarm))
        .catch((error: unknown) => this.complain(error, 'a timer could not be set; the sweep will see to it'))
        .finally(() => (this.setting -= 1));
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.retry);
    if (this.current !== undefined) await close(this.current);
    for (const connection of this.connections) connection.disconnect();
  }

  private startLater(): void {
    const { first, longest } = pauseMs;
    const pause = Math.min(longest, first * 2 ** this.failures++);
    clearTimeout(this.retry);
    if (!this.stopped) this.retry = setTimeout(() => this.start(), pause);
  }

  private async open(): Promise<void> {
    const { redisUrl } = this.options;
    const open = redisUrl === undefined ? await this.inPostgres() : this.inRedis(redisUrl);
    if (!this.givenUp.has(open)) this.current = open;
    if (this.stopped) await this.stop();
  }

  /** Called while BullMQ may be retrying without a pause: this is stopped first. */
  private giveUp(open: Open): void {
    if (this.givenUp.has(open)) return;
    this.givenUp.add(open);
    if (this.current === open) this.current = undefined;
    void close(open);
    this.startLater();
  }

  /** Logs the first of many. @returns whether there are too many */
  private complain(error: unknown, what: string): boolean {
    const now = performance.now();
    if (now - this.errors.since > errorLimit.withinMs) {
      // No errors for a while: the next error counts as the first.
      if (now - this.errors.since > 2 * pauseMs.longest) this.failures = 0;
      this.errors = { count: 0, since: now };
    }
    this.errors.count += 1;
    this.options.logger[this.errors.count === 1 ? 'warn' : 'debug']({ err: error }, what);
    return this.errors.count >= errorLimit.count;
  }

  private readonly process = async ({ name, data }: Job<AlarmData>): Promise<void> => {
    await this.options.onDue({
      kind: name === 'escalation' ? name : 'deadline',
      orgId: data.org_id,
      approvalId: data.approval_id,
      traceparent: data.traceparent,
    });
  };

  private inRedis(url: string): Open {
    const connect = (offlineQueue: boolean) => {
      const connection = new Redis(url, { maxRetriesPerRequest: null, enableOfflineQueue: offlineQueue });
      connection.on('error', (error) => this.options.logger.debug({ err: error }, 'redis'));
      this.connections.push(connection);
      return connection;
    };
    // Alarms that Redis does not accept are dropped at once, so that they do not pile up here.
    const queue = new Queue<AlarmData>(queueName, { connection: connect(false) });
    const worker = new Worker<AlarmData>(queueName, this.process, {
      connection: connect(true),
      concurrency: 64,
    });
    const failed = (error: Error) => void this.complain(error, 'timers');
    queue.on('error', failed);
    worker.on('error', failed);
    return { queue, worker };
  }

  private async inPostgres(): Promise<Open> {
    await this.migrate();
    const bound = withBackend(createPostgresBackend);
    const connection = {
      connectionString: this.options.databaseUrl,
      schema: jobsSchema,
      max: 4,
      connectionTimeoutMillis: 3_000,
      ...connectionLimits,
      // It closes a connection that did not answer, however BullMQ handles the error.
      pipeline: true,
      Client: QuietClient,
    };
    const queue = new bound.Queue<AlarmData>(queueName, { connection });
    const worker = new bound.Worker<AlarmData>(queueName, this.process, {
      connection,
      concurrency: 64,
      autorun: false,
      drainDelay: jobsSilentSeconds,
    });
    const open = { queue: queue as unknown as AlarmQueue, worker: worker as unknown as AlarmWorker };
    const failed = (error: Error) => {
      if (this.complain(error, 'timers')) this.giveUp(open);
    };
    open.queue.on('error', failed);
    open.worker.on('error', failed);
    try {
      await Promise.all([open.queue.waitUntilReady(), open.worker.waitUntilReady()]);
    } catch (error) {
      void close(open);
      throw error;
    }
    open.worker.run().catch((error: unknown) => {
      this.complain(error, 'timers');
      this.giveUp(open);
    });
    return open;
  }

  /**
   * BullMQ's own tables. The launcher created the schema, and our role may not create another, so that statement is left out.
   */
  private async migrate(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.options.databaseUrl,
      connectionTimeoutMillis: 3_000,
      ...connectionLimits,
    });
    client.on('error', () => {});
    await client.connect();
    try {
      const query = (text: string, values?: unknown[]) =>
        text.startsWith('CREATE SCHEMA') ? client.query('SELECT 1') : client.query(text, values);
      await runMigrations({ query } as Parameters<typeof runMigrations>[0], jobsSchema);
    } finally {
      await client.end();
    }
  }
}

/** Its loss is its query's error; without a listener of its own it would also end the process. */
class QuietClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on('error', () => {});
  }
}

/** One of them may wait for an answer that never comes. */
async function close({ queue, worker }: Open): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, closeWithinMs)));
  await Promise.race([Promise.allSettled([worker.close(), queue.close()]), late]);
  clearTimeout(timer);
}
