import type { ServiceName } from '@agentlattice/contracts';
import { startRelay } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import type { Provider } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { Background } from './background.js';
import type { BaseConfig } from './base-config.js';
import type { LagRegistry } from './lag-registry.js';
import { CONFIG, LAGS, LOGGER, NATS, POOL } from './tokens.js';

/** The relay of a service's own events as background work, with its lag in the readiness of the service. */
export const relayProvider = (service: ServiceName): Provider => ({
  provide: Symbol(`relay of ${service}`),
  inject: [CONFIG, POOL, NATS, LAGS, LOGGER],
  useFactory: (
    { databaseUrl }: BaseConfig,
    pool: pg.Pool,
    nc: NatsConnection,
    lags: LagRegistry,
    logger: Logger,
  ) =>
    new Background(() => {
      lags.addRelay(service, pool);
      return [startRelay({ pool, databaseUrl, nc, service, logger })];
    }),
});
