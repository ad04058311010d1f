import { EventStore } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import {
  Background,
  COMMANDS,
  LAGS,
  type LagRegistry,
  LOGGER,
  NATS,
  POOL,
  readGrantSettings,
  relayProvider,
} from '@agentlattice/service';
import { Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import type { ProjectionPorts } from './inbound/projections.js';
import { recordApprovals } from './outbound/approval-metrics.js';
import { LedgerIntake } from './outbound/ledger-intake.js';
import { EVENT_STORE, GRANT_SETTINGS, LEDGER_INTAKE, PROJECTIONS } from './tokens.js';

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
    relayProvider('approval-service'),
    {
      provide: LEDGER_INTAKE,
      inject: [POOL, COMMANDS, LOGGER],
      useFactory: (pool: pg.Pool, commands: CommandClient, logger: Logger) =>
        new Background(() => [new LedgerIntake({ pool, commands, logger }).start(), recordApprovals(pool)]),
    },
  ],
  exports: [EVENT_STORE, GRANT_SETTINGS, PROJECTIONS],
})
export class EventsModule {}
