import {
  type Actor,
  type ChannelInput,
  type DeliveryView,
  type NewChannelView,
  notifierCommands as commands,
  type OutgoingEventType,
} from '@agentlattice/contracts';
import { CommandClient, connectNats, ensureEventStream } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import { readBaseConfig, startApp } from '@agentlattice/service';
import {
  answersWithinMs,
  type FakeEventSource,
  fakeEventSource,
  startNats,
  startPostgres,
  type TestNats,
  testPool,
  type TestPostgres,
} from '@agentlattice/testkit';
import type { NatsConnection } from '@nats-io/transport-node';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { typeid } from 'typeid-js';
import { migrations } from '../src/migrations/index.js';
import { NotifierModule } from '../src/notifier.module.js';

export const newId = (prefix: 'org' | 'apr' | 'agt' | 'pol' | 'evt' | 'mbr' | 'chn') =>
  typeid(prefix).toString();
const sources = ['gateway', 'policy-engine', 'approval-service', 'audit-ledger'] as const;
export const actor: Actor = { kind: 'operator', id: newId('mbr'), key_id: null, via: 'api' };

/** The service on a real PostgreSQL and NATS, with fake sources of events. */
export interface NotifierHarness {
  /** Sends commands with the rights of the gateway. */
  readonly client: CommandClient;
  clientOf(name: (typeof sources)[number]): CommandClient;
  /** A pool with the rights of the service. */
  readonly pool: pg.Pool;
  source(name: (typeof sources)[number]): FakeEventSource;
  channel(org: string, channel: ChannelInput): Promise<NewChannelView>;
  webhook(
    org: string,
    url: string,
    events: OutgoingEventType[],
  ): Promise<NewChannelView & { secret: string }>;
  /** Oldest first. */
  deliveries(org: string, filter?: { approval_id?: string; channel_id?: string }): Promise<DeliveryView[]>;
  start(env?: Record<string, string>): Promise<void>;
  halt(): Promise<void>;
  stop(): Promise<void>;
}

/** The settings of the service with these servers. */
export const notifierEnvironment = (postgres: TestPostgres, nats: TestNats) => ({
  AL_INSTANCE: 'a',
  AL_DATA_DIR: '/nowhere',
  AL_HEALTH_PORT: '0',
  LOG_LEVEL: 'silent',
  DATABASE_URL: postgres.databaseUrl('notifier'),
  NATS_URL: nats.natsUrl('notifier'),
  AL_PUBLIC_URL: 'https://approvals.example.com',
  CHANNEL_SECRETS_KEY: 'a key for tests alone',
});

export async function notifierHarness(env: Record<string, string> = {}): Promise<NotifierHarness> {
  const [postgres, nats] = await Promise.all([
    startPostgres({ migrations: { notifier: migrations } }),
    startNats(),
  ]);
  const logger = createLogger('test', 'silent');
  const connections = new Map<string, NatsConnection>();
  const fakes = new Map<string, FakeEventSource>();
  for (const service of sources)
    connections.set(service, await connectNats({ url: nats.natsUrl(service), service, instance: 't' }));
  const connectionOf = (name: (typeof sources)[number]) => found(connections.get(name));
  await ensureEventStream(connectionOf('audit-ledger'));
  for (const service of sources) fakes.set(service, await fakeEventSource(connectionOf(service), service));
  const client = new CommandClient(connectionOf('gateway'), answersWithinMs);
  const pool = testPool({ connectionString: postgres.databaseUrl('notifier') });
  let app: NestFastifyApplication | undefined;
  const start = async (more: Record<string, string> = {}) => {
    Object.assign(process.env, {
      ...notifierEnvironment(postgres, nats),
      EGRESS_ALLOW: '127.0.0.0/8',
      SMTP_URL: '',
      MAIL_FROM: '',
      ...env,
      ...more,
    });
    app = await startApp(
      { service: 'notifier', module: NotifierModule },
      readBaseConfig('notifier', process.env),
      logger,
    );
  };
  await start();
  const harness: NotifierHarness = {
    client,
    clientOf: (name) => new CommandClient(connectionOf(name), answersWithinMs),
    pool,
    source: (name) => found(fakes.get(name)),
    channel: (org_id, channel) =>
      client.request(commands.create_channel, { org_id, actor, correlation_id: null, channel }),
    webhook: async (org, url, events) => {
      const made = await harness.channel(org, { type: 'webhook', name: 'hook', events, enabled: true, url });
      return { ...made, secret: found(made.secret) };
    },
    deliveries: async (org_id, filter = {}) => {
      const request = { org_id, ...filter, cursor: null, limit: 200 };
      return (await client.request(commands.list_deliveries, request)).deliveries.reverse();
    },
    start,
    halt: async () => {
      await app?.close();
      app = undefined;
    },
    stop: async () => {
      await app?.close();
      await pool.end();
      for (const nc of connections.values()) await nc.close();
      await Promise.all([postgres.stop(), nats.stop()]);
    },
  };
  return harness;
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is not there');
  return value;
}
