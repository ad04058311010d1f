import { type Projection, startProjection } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { COMMANDS, LAGS, type LagRegistry, LOGGER, NATS, POOL } from '@agentlattice/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import type { SendDeliveries } from '../application/send-deliveries.js';
import { storedEventTypes } from '../domain/stored-event-types.js';
import { storeOutgoingEvents } from '../outbound/store-outgoing-events.js';
import { SEND_DELIVERIES } from '../tokens.js';

/** Takes in the events for people and alerting systems, and plans their deliveries. */
@Injectable()
export class OutgoingEventsConsumer implements OnApplicationBootstrap, OnApplicationShutdown {
  private projection: Projection | undefined;

  constructor(
    @Inject(POOL) private readonly pool: pg.Pool,
    @Inject(NATS) private readonly nc: NatsConnection,
    @Inject(COMMANDS) private readonly client: CommandClient,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(LAGS) private readonly lags: LagRegistry,
    @Inject(SEND_DELIVERIES) private readonly sending: Pick<SendDeliveries, 'wake'>,
  ) {}

  onApplicationBootstrap(): void {
    const { pool, nc, client, logger } = this;
    this.projection = startProjection({
      ...{ pool, nc, client, logger },
      durable: 'notifier-events',
      sources: ['gateway', 'policy-engine', 'approval-service'],
      types: storedEventTypes,
      handleAll: storeOutgoingEvents,
      onApplied: () => this.sending.wake(),
    });
    this.lags.addProjection(this.projection);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.projection?.stop();
  }
}
