import { EventStore, startProjection, startRelay } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import {
  type BaseConfig,
  COMMANDS,
  CONFIG,
  LAGS,
  type LagRegistry,
  LOGGER,
  NATS,
  POOL,
  ServiceModule,
} from '@agentlattice/service';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { Channels } from './application/channels.js';
import { FollowOutcomes } from './application/follow-outcomes.js';
import { makeRedeliver } from './application/redeliver.js';
import { SendDeliveries } from './application/send-deliveries.js';
import { type NotifierConfig, readNotifierConfig } from './config.js';
import { takenIn } from './domain/taken-in.js';
import { ChannelsResponder } from './inbound/channels.responder.js';
import { OutgoingResponder } from './inbound/outgoing.responder.js';
import type { ChannelSenders } from './outbound/channels/channel-sender.js';
import { channelSenders } from './outbound/channels/channel-senders.js';
import { DeliveryQueue } from './outbound/delivery-queue.js';
import { outcomesHead } from './outbound/outcomes-position.js';
import { SecretBox } from './outbound/secret-box.js';
import { storeOutgoingEvents } from './outbound/store-outgoing-events.js';
import { DeliveryReader } from './read/delivery-reader.js';
import { OutgoingReader } from './read/outgoing-reader.js';
import {
  BACKGROUND,
  CHANNELS,
  DELIVERY_READER,
  NOTIFIER_CONFIG,
  OUTGOING_READER,
  REDELIVER,
  SECRET_BOX,
  SEND_DELIVERIES,
  SENDERS,
} from './tokens.js';

interface Stoppable {
  stop(): Promise<void>;
}

@Module({
  imports: [ServiceModule.forRoot('notifier')],
  controllers: [OutgoingResponder, ChannelsResponder],
  providers: [
    { provide: NOTIFIER_CONFIG, useFactory: () => readNotifierConfig(process.env) },
    { provide: SENDERS, inject: [NOTIFIER_CONFIG], useFactory: channelSenders },
    {
      provide: SECRET_BOX,
      inject: [NOTIFIER_CONFIG],
      useFactory: ({ channelSecretsKey }: NotifierConfig) => new SecretBox(channelSecretsKey),
    },
    { provide: OUTGOING_READER, inject: [POOL], useFactory: (pool: pg.Pool) => new OutgoingReader(pool) },
    { provide: DELIVERY_READER, inject: [POOL], useFactory: (pool: pg.Pool) => new DeliveryReader(pool) },
    {
      provide: CHANNELS,
      inject: [POOL, SECRET_BOX, SENDERS, COMMANDS],
      useFactory: (pool: pg.Pool, box: SecretBox, senders: ChannelSenders, client: CommandClient) =>
        new Channels({
          pool,
          store: new EventStore(pool),
          box,
          senders,
          outcomesHead: () => outcomesHead(client),
        }),
    },
    {
      provide: SEND_DELIVERIES,
      inject: [POOL, CHANNELS, SENDERS, SECRET_BOX, LOGGER],
      useFactory: (
        pool: pg.Pool,
        channels: Channels,
        senders: ChannelSenders,
        box: SecretBox,
        logger: Logger,
      ) => new SendDeliveries({ queue: new DeliveryQueue(pool), channels, senders, box, logger }).start(),
    },
    {
      provide: REDELIVER,
      inject: [POOL, DELIVERY_READER, SEND_DELIVERIES],
      useFactory: (pool: pg.Pool, reader: DeliveryReader, sending: SendDeliveries) =>
        makeRedeliver({ pool, reader, wake: () => sending.wake() }),
    },
    {
      provide: BACKGROUND,
      inject: [CONFIG, POOL, NATS, COMMANDS, LOGGER, SEND_DELIVERIES, LAGS],
      useFactory: background,
    },
  ],
})
export class NotifierModule implements OnApplicationShutdown {
  constructor(
    @Inject(BACKGROUND) private readonly working: readonly Stoppable[],
    @Inject(SENDERS) private readonly senders: ChannelSenders,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.working.map((work) => work.stop()));
    for (const sender of Object.values(this.senders)) sender.close?.();
  }
}

function background(
  { databaseUrl }: BaseConfig,
  pool: pg.Pool,
  nc: NatsConnection,
  client: CommandClient,
  logger: Logger,
  sending: SendDeliveries,
  lags: LagRegistry,
): readonly Stoppable[] {
  const projecting = { pool, nc, client, logger, handleAll: storeOutgoingEvents };
  const onApplied = () => sending.wake();
  const events = startProjection({
    ...projecting,
    durable: 'notifier-events',
    sources: ['gateway', 'policy-engine', 'approval-service'],
    types: takenIn,
    onApplied,
  });
  lags.addRelay('notifier', pool);
  lags.addProjection(events);
  return [
    sending,
    startRelay({ pool, databaseUrl, nc, service: 'notifier', logger }),
    events,
    new FollowOutcomes({
      ...projecting,
      onApplied,
      measureLag: (projection) => lags.addProjection(projection),
    }).start(),
  ];
}
