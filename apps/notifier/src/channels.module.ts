import { EventStore } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS, POOL } from '@agentlattice/service';
import { Module, type Provider } from '@nestjs/common';
import type pg from 'pg';
import { type CreateChannelPorts, makeCreateChannel } from './application/create-channel.js';
import { makeDeleteChannel } from './application/delete-channel.js';
import { makeDisableChannel } from './application/disable-channel.js';
import { makeRotateChannelSecret } from './application/rotate-channel-secret.js';
import { makeTestChannel } from './application/test-channel.js';
import { makeUpdateChannel } from './application/update-channel.js';
import { ChannelsResponder } from './inbound/channels.responder.js';
import type { ChannelSenders } from './outbound/channels/channel-sender.js';
import { readOutcomesHead } from './outbound/outcomes-position.js';
import type { SecretBox } from './outbound/secret-box.js';
import { DeliveryReader } from './read/delivery-reader.js';
import { SendersModule } from './senders.module.js';
import {
  CREATE_CHANNEL,
  DELETE_CHANNEL,
  DELIVERY_READER,
  DISABLE_CHANNEL,
  ROTATE_CHANNEL_SECRET,
  SECRET_BOX,
  SENDERS,
  TEST_CHANNEL,
  UPDATE_CHANNEL,
} from './tokens.js';

function useCase(provide: symbol, make: (ports: CreateChannelPorts) => unknown): Provider {
  return {
    provide,
    inject: [POOL, SECRET_BOX, SENDERS, COMMANDS],
    useFactory: (pool: pg.Pool, box: SecretBox, senders: ChannelSenders, client: CommandClient) =>
      make({
        pool,
        store: new EventStore(pool),
        box,
        senders,
        outcomesHead: () => readOutcomesHead(client),
      }),
  };
}

/** The commands on channels. */
@Module({
  imports: [SendersModule],
  controllers: [ChannelsResponder],
  providers: [
    { provide: DELIVERY_READER, inject: [POOL], useFactory: (pool: pg.Pool) => new DeliveryReader(pool) },
    useCase(CREATE_CHANNEL, makeCreateChannel),
    useCase(UPDATE_CHANNEL, makeUpdateChannel),
    useCase(DELETE_CHANNEL, makeDeleteChannel),
    useCase(ROTATE_CHANNEL_SECRET, makeRotateChannelSecret),
    useCase(TEST_CHANNEL, makeTestChannel),
    useCase(DISABLE_CHANNEL, makeDisableChannel),
  ],
  exports: [DISABLE_CHANNEL, DELIVERY_READER],
})
export class ChannelsModule {}
