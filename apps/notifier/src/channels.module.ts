import { EventStore } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS, POOL } from '@agentlattice/service';
import { Module } from '@nestjs/common';
import type pg from 'pg';
import { Channels } from './application/channels.js';
import { ChannelsResponder } from './inbound/channels.responder.js';
import type { ChannelSenders } from './outbound/channels/channel-sender.js';
import { readOutcomesHead } from './outbound/outcomes-position.js';
import type { SecretBox } from './outbound/secret-box.js';
import { DeliveryReader } from './read/delivery-reader.js';
import { SendersModule } from './senders.module.js';
import { CHANNELS, DELIVERY_READER, SECRET_BOX, SENDERS } from './tokens.js';

/** What operators do with channels. */
@Module({
  imports: [SendersModule],
  controllers: [ChannelsResponder],
  providers: [
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
          outcomesHead: () => readOutcomesHead(client),
        }),
    },
  ],
  exports: [CHANNELS, DELIVERY_READER],
})
export class ChannelsModule {}
