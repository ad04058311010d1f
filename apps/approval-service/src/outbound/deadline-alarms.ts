import type { Logger } from '@agentlattice/observability';
import { createPostgresBackend, type Job, Queue, runMigrations, withBackend, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';

export type AlarmKind = 'deadline' | 'escalation';

/** References only: what is to be done stands in the database. */
export interface Alarm {
  readonly kind: AlarmKind;
  readonly orgId: string;
  readonly approvalId: string;
  readonly at: Date;
  /** Of the stream when it was set, so that a changed time is another job. */
  readonly version: number;
  readonly traceparent: string | null;
}

export interface AlarmClock {
  /** Returns at once and never fails: the sweep finds what no alarm tells. */
  set(alarms: readonly Alarm[]): void;
}

interface AlarmData {
  org_id: string;
  approval_id: string;
  traceparent: string | null;
}

export interface DeadlineAlarmsOptions {
  readonly databaseUrl: string;
  /** Undefined: the jobs live in PostgreSQL. */
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
const retryAfterMs = 2_000;
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

type AlarmQueue = Pick<Queue<AlarmData>, 'add' | 'close' | 'on'>;
type AlarmWorker = Pick<Worker<AlarmData>, 'close' | 'on'>;

/** BullMQ's delayed jobs as alarm clocks: they may come twice, late or never. */
export class DeadlineAlarms implements AlarmClock {
  private queue: AlarmQueue | undefined;
  private worker: AlarmWorker | undefined;
  private readonly connections: Redis[] = [];
  private retry: NodeJS.Timeout | undefined;
  private stopped = false;
  private setting = 0;

  constructor(private readonly options: DeadlineAlarmsOptions) {}

  /** Connects in the background: without alarms the sweep does the work. */
  start(): void {
    this.open().catch((error: unknown) => {
      this.options.logger.warn({ err: error }, 'timers are not there yet');
      if (!this.stopped) this.retry = setTimeout(() => this.start(), retryAfterMs);
    });
  }

  set(alarms: readonly Alarm[]): void {
    if (alarms.length === 0 || this.queue === undefined) return;
    const { logger } = this.options;
    if (this.setting + alarms.length > maxSetting)
      return logger.warn({ alarms: alarms.length }, 'timers are behind; the sweep will see to these');
    const { queue } = this;
    const failed = (error: unknown) =>
      logger.warn({ err: error }, 'a timer could not be set; the sweep will see to it');
    for (const alarm of alarms) {
      this.setting += 1;
      // One by one: in PostgreSQL adding several needs a right to temporary tables, which our role does not have.
      queue
        .add(alarm.kind, dataOf(alarm), optionsOf(alarm))
        .catch(failed)
        .finally(() => (this.setting -= 1));
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.retry);
    await Promise.allSettled([this.worker?.close(), this.queue?.close()]);
    for (const connection of this.connections) connection.disconnect();
  }

  private async open(): Promise<void> {
    const { redisUrl, logger } = this.options;
    const { queue, worker } = redisUrl === undefined ? await this.inPostgres() : this.inRedis(redisUrl);
    const complain = (error: Error) => logger.warn({ err: error }, 'timers');
    queue.on('error', complain);
    worker.on('error', complain);
    this.queue = queue;
    this.worker = worker;
    if (this.stopped) await this.stop();
  }

  private readonly process = async ({ name, data }: Job<AlarmData>): Promise<void> => {
    await this.options.onDue({
      kind: name === 'escalation' ? name : 'deadline',
      orgId: data.org_id,
      approvalId: data.approval_id,
      traceparent: data.traceparent,
    });
  };

  private inRedis(url: string): { queue: AlarmQueue; worker: AlarmWorker } {
    const connect = (offlineQueue: boolean) => {
      const connection = new Redis(url, { maxRetriesPerRequest: null, enableOfflineQueue: offlineQueue });
      connection.on('error', (error) => this.options.logger.debug({ err: error }, 'redis'));
      this.connections.push(connection);
      return connection;
    };
    // Alarms that Redis cannot take are dropped at once: they must not heap up here.
    const queue = new Queue<AlarmData>(queueName, { connection: connect(false) });
    const worker = new Worker<AlarmData>(queueName, this.process, {
      connection: connect(true),
      concurrency: 64,
    });
    return { queue, worker };
  }

  private async inPostgres(): Promise<{ queue: AlarmQueue; worker: AlarmWorker }> {
    await this.migrate();
    const bound = withBackend(createPostgresBackend);
    const connection = {
      connectionString: this.options.databaseUrl,
      schema: jobsSchema,
      max: 4,
      keepAlive: true,
    };
    const queue = new bound.Queue<AlarmData>(queueName, { connection });
    const worker = new bound.Worker<AlarmData>(queueName, this.process, { connection, concurrency: 64 });
    return { queue: queue as unknown as AlarmQueue, worker: worker as unknown as AlarmWorker };
  }

  /** BullMQ's own tables. The launcher made the schema, and our role may make no other: that one statement is left out. */
  private async migrate(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.options.databaseUrl,
      connectionTimeoutMillis: 3_000,
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
