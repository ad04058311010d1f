import { type Relay, startRelay } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import {
  type BaseConfig,
  CONFIG,
  LAGS,
  type LagRegistry,
  LOGGER,
  NATS,
  POOL,
  ServiceModule,
} from '@agentlattice/service';
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { ChannelsModule } from './channels.module.js';
import { DeliveriesModule } from './deliveries.module.js';
import { OutgoingEventsModule } from './outgoing-events.module.js';

/** The notifier: its modules, and the relay that publishes its own events. */
@Module({
  imports: [ServiceModule.forRoot('notifier'), ChannelsModule, DeliveriesModule, OutgoingEventsModule],
})
export class NotifierModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private relay: Relay | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: BaseConfig,
    @Inject(POOL) private readonly pool: pg.Pool,
    @Inject(NATS) private readonly nc: NatsConnection,
    @Inject(LAGS) private readonly lags: LagRegistry,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    const { pool, nc, logger } = this;
    this.lags.addRelay('notifier', pool);
    this.relay = startRelay({ pool, databaseUrl: this.config.databaseUrl, nc, service: 'notifier', logger });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.relay?.stop();
  }
}
