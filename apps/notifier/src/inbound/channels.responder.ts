import { type CommandRequest, notifierCommands as commands } from '@agentlattice/contracts';
import { replay } from '@agentlattice/event-store';
import { POOL } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type pg from 'pg';
import type { Channels } from '../application/channels.js';
import type { DeliveryReader } from '../read/delivery-reader.js';
import { CHANNELS, DELIVERY_READER } from '../tokens.js';

type Request<Verb extends keyof typeof commands> = CommandRequest<(typeof commands)[Verb]>;

@Controller()
export class ChannelsResponder {
  constructor(
    @Inject(CHANNELS) private readonly channels: Channels,
    @Inject(DELIVERY_READER) private readonly reader: DeliveryReader,
    @Inject(POOL) private readonly pool: pg.Pool,
  ) {}

  @MessagePattern(commands.create_channel.subject, { command: commands.create_channel })
  create(@Payload() request: Request<'create_channel'>) {
    return this.channels.create(request);
  }

  @MessagePattern(commands.update_channel.subject, { command: commands.update_channel })
  update(@Payload() request: Request<'update_channel'>) {
    return this.channels.update(request);
  }

  @MessagePattern(commands.delete_channel.subject, { command: commands.delete_channel })
  delete(@Payload() request: Request<'delete_channel'>) {
    return this.channels.delete(request);
  }

  @MessagePattern(commands.rotate_secret.subject, { command: commands.rotate_secret })
  rotateSecret(@Payload() request: Request<'rotate_secret'>) {
    return this.channels.rotateSecret(request);
  }

  @MessagePattern(commands.test_channel.subject, { command: commands.test_channel })
  test(@Payload() request: Request<'test_channel'>) {
    return this.channels.test(request);
  }

  @MessagePattern(commands.get_channel.subject, { command: commands.get_channel })
  get(@Payload() request: Request<'get_channel'>) {
    return this.channels.get(request);
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
