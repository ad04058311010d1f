import type { Logger } from '@agentlattice/observability';
import { LOGGER, POOL } from '@agentlattice/service';
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import type { DisableChannel } from './application/disable-channel.js';
import { makeRedeliver } from './application/redeliver.js';
import { SendDeliveries } from './application/send-deliveries.js';
import { ChannelsModule } from './channels.module.js';
import { DeliveriesResponder } from './inbound/deliveries.responder.js';
import type { ChannelSenders } from './outbound/channels/channel-sender.js';
import { DeliveryQueue } from './outbound/delivery-queue.js';
import type { SecretBox } from './outbound/secret-box.js';
import type { DeliveryReader } from './read/delivery-reader.js';
import { SendersModule } from './senders.module.js';
import {
  DELIVERY_QUEUE,
  DELIVERY_READER,
  DISABLE_CHANNEL,
  REDELIVER,
  SECRET_BOX,
  SEND_DELIVERIES,
  SENDERS,
} from './tokens.js';

/** Sends planned deliveries until the receiver has them, and sends a delivery again when an operator asks for it. */
@Module({
  imports: [SendersModule, ChannelsModule],
  controllers: [DeliveriesResponder],
  providers: [
    { provide: DELIVERY_QUEUE, inject: [POOL], useFactory: (pool: pg.Pool) => new DeliveryQueue(pool) },
    {
      provide: SEND_DELIVERIES,
      inject: [DELIVERY_QUEUE, DISABLE_CHANNEL, SENDERS, SECRET_BOX, LOGGER],
      useFactory: (
        queue: DeliveryQueue,
        disableChannel: DisableChannel,
        senders: ChannelSenders,
        box: SecretBox,
        logger: Logger,
      ) => new SendDeliveries({ queue, disableChannel, senders, box, logger }),
    },
    {
      provide: REDELIVER,
      inject: [DELIVERY_QUEUE, DELIVERY_READER, SEND_DELIVERIES],
      useFactory: (queue: DeliveryQueue, reader: DeliveryReader, sending: SendDeliveries) =>
        makeRedeliver({ queue, reader, wake: () => sending.wake() }),
    },
  ],
  exports: [SEND_DELIVERIES],
})
export class DeliveriesModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(SEND_DELIVERIES) private readonly sending: SendDeliveries) {}

  onApplicationBootstrap(): void {
    this.sending.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.sending.stop();
  }
}
