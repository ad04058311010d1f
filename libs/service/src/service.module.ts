import type { ServiceName } from '@agentlattice/contracts';
import { connectionLimits, DatabasePool } from '@agentlattice/event-store';
import { CommandClient, connectNats } from '@agentlattice/messaging';
import { createLogger, type Logger, observe } from '@agentlattice/observability';
import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { type BaseConfig, readBaseConfig } from './base-config.js';
import { HealthRegistry, Unhealthy } from './health-registry.js';
import type { WatchedCheck } from './watched-check.js';
import { LagRegistry } from './lag-registry.js';
import { PreparedStatements } from './prepared-statements.js';
import { COMMANDS, CONFIG, HEALTH, LAGS, LOGGER, NATS, POOL } from './tokens.js';

/** The providers of every service: configuration, log, database, NATS, commands and health, each under its token. */
@Global()
@Module({})
export class ServiceModule implements OnApplicationShutdown {
  private readonly gauges: readonly (() => void)[];

  constructor(
    @Inject(POOL) private readonly pool: pg.Pool,
    @Inject(NATS) private readonly nc: NatsConnection,
    @Inject(LAGS) private readonly lags: LagRegistry,
    @Inject(HEALTH) private readonly health: HealthRegistry,
    @Inject(CONFIG) { service }: BaseConfig,
  ) {
    this.gauges = poolGauges(pool, service);
  }

  static forRoot(service: ServiceName, env: NodeJS.ProcessEnv = process.env): DynamicModule {
    const tokens = [CONFIG, LOGGER, POOL, NATS, COMMANDS, HEALTH, LAGS];
    return {
      module: ServiceModule,
      global: true,
      providers: [
        { provide: CONFIG, useFactory: () => readBaseConfig(service, env) },
        {
          provide: LOGGER,
          inject: [CONFIG],
          useFactory: ({ logLevel }: BaseConfig) => createLogger(service, logLevel),
        },
        { provide: POOL, inject: [CONFIG, LOGGER], useFactory: openPool },
        {
          provide: NATS,
          inject: [CONFIG],
          useFactory: ({ natsUrl, instance }: BaseConfig) => connectNats({ url: natsUrl, service, instance }),
        },
        { provide: COMMANDS, inject: [NATS], useFactory: (nc: NatsConnection) => new CommandClient(nc) },
        { provide: LAGS, inject: [LOGGER], useFactory: (logger: Logger) => new LagRegistry(logger) },
        { provide: HEALTH, inject: [CONFIG, POOL, NATS, LAGS], useFactory: baseHealth },
      ],
      exports: tokens,
    };
  }

  /** Runs after all listeners are closed and every other module was stopped. */
  async onApplicationShutdown(): Promise<void> {
    for (const end of this.gauges) end();
    await Promise.all([this.lags.stop(), this.health.stop()]);
    await this.nc.drain().catch(() => {});
    await this.pool.end();
  }
}

function poolGauges(pool: pg.Pool, service: ServiceName): (() => void)[] {
  const name = { 'db.client.connection.pool.name': service };
  const inState = (state: 'idle' | 'used') => ({ ...name, 'db.client.connection.state': state });
  return [
    observe('db.client.connection.count', () => [
      { value: pool.idleCount, labels: inState('idle') },
      { value: pool.totalCount - pool.idleCount, labels: inState('used') },
    ]),
    observe('db.client.connection.pending_requests', () => [{ value: pool.waitingCount, labels: name }]),
  ];
}

/** A pool that survives the death of its connections. */
export function openPool({ databaseUrl, service, instance }: BaseConfig, logger: Logger): DatabasePool {
  const pool = new DatabasePool({
    connectionString: databaseUrl,
    application_name: `${service}-${instance}`,
    max: 10,
    // Longer than the pauses of idle background work (8 s): a new connection costs more than its queries.
    idleTimeoutMillis: 30_000,
    // A caller that would wait longer gets 503.
    connectionTimeoutMillis: 1_500,
    ...connectionLimits,
    // Independent statements are sent together.
    pipeline: true,
  });
  const statements = new PreparedStatements();
  // Without a listener the loss of an idle connection ends the process.
  pool.on('error', (error) => logger.warn({ err: error }, 'a database connection was lost'));
  // So does the loss of a checked-out connection without a query; its user gets the error with the next query.
  pool.on('connect', (client) => {
    client.on('error', () => {});
    statements.prepareOn(client);
  });
  return pool;
}

async function wakeOnStatus(nc: NatsConnection, check: WatchedCheck): Promise<void> {
  for await (const { type } of nc.status()) if (type === 'disconnect' || type === 'reconnect') check.wake();
}

/** The name of the check of PostgreSQL in readiness. */
export const postgresCheck = 'postgres';

/** The database counts as full for this long after its last refusal, because some statements still succeed meanwhile. */
const refusalLastsMs = 5_000;

function baseHealth(
  { service }: BaseConfig,
  pool: DatabasePool,
  nc: NatsConnection,
  lags: LagRegistry,
): HealthRegistry {
  const health = new HealthRegistry();
  const postgres = health.watch(postgresCheck, async () => void (await pool.query('SELECT 1')));
  // A lost connection is seen at once, and a silent one by the next check.
  pool.on('error', () => postgres.wake());
  const nats = health.watch('nats', async () => void (await nc.rtt()));
  void wakeOnStatus(nc, nats);
  health.add(
    'postgres storage',
    () => {
      const { refusedToStoreMs } = pool;
      if (refusedToStoreMs !== null && refusedToStoreMs < refusalLastsMs)
        throw new Unhealthy([
          {
            name: `storage of the ${service}`,
            reason: `PostgreSQL has no space for what the ${service} writes`,
          },
        ]);
    },
    'service',
  );
  health.add(
    'lag',
    () => {
      const faults = lags.faults();
      if (faults.length > 0) throw new Unhealthy(faults);
    },
    'service',
  );
  return health;
}
