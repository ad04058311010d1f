import { type Projection, startProjection } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { COMMANDS, LOGGER, NATS, POOL, ServiceModule } from '@agentlattice/service';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { takenIn } from './domain/outgoing-event.js';
import { OutgoingResponder } from './inbound/outgoing.responder.js';
import { storeOutgoingEvents } from './outbound/store-outgoing-events.js';
import { OutgoingReader } from './read/outgoing-reader.js';
import { OUTGOING_READER, PROJECTION } from './tokens.js';

@Module({
  imports: [ServiceModule.forRoot('notifier')],
  controllers: [OutgoingResponder],
  providers: [
    { provide: OUTGOING_READER, inject: [POOL], useFactory: (pool: pg.Pool) => new OutgoingReader(pool) },
    {
      provide: PROJECTION,
      inject: [POOL, NATS, COMMANDS, LOGGER],
      useFactory: (pool: pg.Pool, nc: NatsConnection, client: CommandClient, logger: Logger) =>
        startProjection({
          pool,
          nc,
          client,
          durable: 'notifier-events',
          sources: ['gateway', 'policy-engine', 'approval-service'],
          types: takenIn,
          handleAll: storeOutgoingEvents,
          logger,
        }),
    },
  ],
})
export class NotifierModule implements OnApplicationShutdown {
  constructor(@Inject(PROJECTION) private readonly projection: Projection) {}

  async onApplicationShutdown(): Promise<void> {
    await this.projection.stop();
  }
}
