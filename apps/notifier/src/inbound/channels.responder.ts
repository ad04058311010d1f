import { type CommandRequest, notifierCommands as commands } from '@agentlattice/contracts';
import { replay } from '@agentlattice/event-store';
import { POOL } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type pg from 'pg';
import type { CreateChannel } from '../application/create-channel.js';
import type { DeleteChannel } from '../application/delete-channel.js';
import type { RotateChannelSecret } from '../application/rotate-channel-secret.js';
import type { TestChannel } from '../application/test-channel.js';
import type { UpdateChannel } from '../application/update-channel.js';
import { readChannelView } from '../outbound/channel-rows.js';
import type { DeliveryReader } from '../read/delivery-reader.js';
import {
  CREATE_CHANNEL,
  DELETE_CHANNEL,
  DELIVERY_READER,
  ROTATE_CHANNEL_SECRET,
  TEST_CHANNEL,
  UPDATE_CHANNEL,
} from '../tokens.js';

type Request<Verb extends keyof typeof commands> = CommandRequest<(typeof commands)[Verb]>;

@Controller()
export class ChannelsResponder {
  constructor(
    @Inject(CREATE_CHANNEL) private readonly createChannel: CreateChannel,
    @Inject(UPDATE_CHANNEL) private readonly updateChannel: UpdateChannel,
    @Inject(DELETE_CHANNEL) private readonly deleteChannel: DeleteChannel,
    @Inject(ROTATE_CHANNEL_SECRET) private readonly rotateChannelSecret: RotateChannelSecret,
    @Inject(TEST_CHANNEL) private readonly testChannel: TestChannel,
    @Inject(DELIVERY_READER) private readonly reader: DeliveryReader,
    @Inject(POOL) private readonly pool: pg.Pool,
  ) {}

  @MessagePattern(commands.create_channel.subject, { command: commands.create_channel })
  create(@Payload() request: Request<'create_channel'>) {
    return this.createChannel(request);
  }

  @MessagePattern(commands.update_channel.subject, { command: commands.update_channel })
  update(@Payload() request: Request<'update_channel'>) {
    return this.updateChannel(request);
  }

  @MessagePattern(commands.delete_channel.subject, { command: commands.delete_channel })
  delete(@Payload() request: Request<'delete_channel'>) {
    return this.deleteChannel(request);
  }

  @MessagePattern(commands.rotate_secret.subject, { command: commands.rotate_secret })
  rotateSecret(@Payload() request: Request<'rotate_secret'>) {
    return this.rotateChannelSecret(request);
  }

  @MessagePattern(commands.test_channel.subject, { command: commands.test_channel })
  test(@Payload() request: Request<'test_channel'>) {
    return this.testChannel(request);
  }

  @MessagePattern(commands.get_channel.subject, { command: commands.get_channel })
  get(@Payload() { org_id, channel_id }: Request<'get_channel'>) {
    return readChannelView(this.pool, org_id, channel_id);
  }

  @MessagePattern(commands.find_channels.subject, { command: commands.find_channels })
  find(@Payload() request: Request<'find_channels'>) {
    return this.reader.which(request);
  }

  @MessagePattern(commands.list_channels.subject, { command: commands.list_channels })
  list(@Payload() request: Request<'list_channels'>) {
    return this.reader.channels(request);
  }

  @MessagePattern(commands.replay.subject, { command: commands.replay })
  replay(@Payload() request: Request<'replay'>) {
    return replay(this.pool, 'notifier', request);
  }
}
