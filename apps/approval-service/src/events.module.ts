import { EventStore, startRelay } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import {
  Background,
  type BaseConfig,
  COMMANDS,
  CONFIG,
  LAGS,
  type LagRegistry,
  LOGGER,
  NATS,
  POOL,
  readGrantSettings,
} from '@agentlattice/service';
import { Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import type { ProjectionPorts } from './inbound/projections.js';
import { LedgerIntake } from './outbound/ledger-intake.js';
import { EVENT_STORE, EVENTS_BACKGROUND, GRANT_SETTINGS, PROJECTIONS } from './tokens.js';

/** The event store, the relay of its events, and providers that all other modules need. */
@Module({
  providers: [
    { provide: EVENT_STORE, inject: [POOL], useFactory: (pool: pg.Pool) => new EventStore(pool) },
    { provide: GRANT_SETTINGS, useFactory: () => readGrantSettings(process.env) },
    {
      provide: PROJECTIONS,
      inject: [POOL, NATS, COMMANDS, LAGS, LOGGER],
      useFactory: (
        pool: pg.Pool,
        nc: NatsConnection,
        commands: CommandClient,
        lags: LagRegistry,
        logger: Logger,
      ): ProjectionPorts => ({ pool, nc, commands, lags, logger }),
    },
    {
      provide: EVENTS_BACKGROUND,
      inject: [CONFIG, PROJECTIONS],
      useFactory: ({ databaseUrl }: BaseConfig, { pool, nc, commands, lags, logger }: ProjectionPorts) =>
        new Background(() => {
          lags.addRelay('approval-service', pool);
          return [
            startRelay({ pool, databaseUrl, nc, service: 'approval-service', logger }),
            new LedgerIntake({ pool, commands, logger }).start(),
          ];
        }),
    },
  ],
  exports: [EVENT_STORE, GRANT_SETTINGS, PROJECTIONS],
})
export class EventsModule {}
