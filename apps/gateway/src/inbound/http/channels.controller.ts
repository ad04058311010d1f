import {
  durationMs,
  type IdPrefix,
  notifierCommands as commands,
  Refused,
  type RouteInput,
  type RouteOutput,
  routes,
  typeId,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject, Req, Res } from '@nestjs/common';
import { actorOf, type Principal } from '../../domain/principal.js';
import { viaOf } from './request-context.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';

/** A little more than the notifier waits for a receiver. */
const testTimeoutMs = 12_000;

/** Channels and deliveries; the notifier owns them. */
@Controller()
export class ChannelsController {
  constructor(@Inject(COMMANDS) private readonly commands: CommandClient) {}

  @Handles(routes.listChannels)
  list(
    @Caller() { orgId: org_id }: Principal,
    @RequestInput() { query: { cursor, limit } }: RouteInput<typeof routes.listChannels>,
  ): Promise<RouteOutput<typeof routes.listChannels>> {
    return this.commands.request(commands.list_channels, { org_id, cursor: cursor ?? null, limit });
  }

  @Handles(routes.createChannel)
  async create(
    @Caller() principal: Principal,
    @RequestInput() { body }: RouteInput<typeof routes.createChannel>,
    @Req() request: GatewayRequest,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.createChannel>> {
    const made = await this.commands.request(commands.create_channel, {
      ...changeOf(principal, request),
      channel: body,
    });
    reply.header('location', `/api/v1/channels/${made.id}`);
    return made;
  }

  @Handles(routes.getChannel)
  get(
    @Caller() { orgId: org_id }: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.getChannel>,
  ): Promise<RouteOutput<typeof routes.getChannel>> {
    return this.commands.request(commands.get_channel, { org_id, channel_id: channelIdOf(params) });
  }

  @Handles(routes.updateChannel)
  update(
    @Caller() principal: Principal,
    @RequestInput() { params, body }: RouteInput<typeof routes.updateChannel>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.updateChannel>> {
    return this.commands.request(commands.update_channel, {
      ...changeOf(principal, request),
      channel_id: channelIdOf(params),
      patch: body,
    });
  }

  @Handles(routes.deleteChannel)
  async delete(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.deleteChannel>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.deleteChannel>> {
    const { channel_id } = await this.commands.request(commands.delete_channel, {
      ...changeOf(principal, request),
      channel_id: channelIdOf(params),
    });
    return { id: channel_id, deleted: true };
  }

  @Handles(routes.rotateChannelSecret)
  rotateSecret(
    @Caller() principal: Principal,
    @RequestInput() { params, body }: RouteInput<typeof routes.rotateChannelSecret>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.rotateChannelSecret>> {
    return this.commands.request(commands.rotate_secret, {
      ...changeOf(principal, request),
      channel_id: channelIdOf(params),
      overlap_ms: durationMs(body.overlap) ?? 0,
    });
  }

  @Handles(routes.testChannel)
  test(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.testChannel>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.testChannel>> {
    return this.commands.request(
      commands.test_channel,
      { ...changeOf(principal, request), channel_id: channelIdOf(params) },
      { timeoutMs: testTimeoutMs },
    );
  }

  @Handles(routes.listDeliveries)
  deliveries(
    @Caller() { orgId: org_id }: Principal,
    @RequestInput() { query: { cursor, limit, ...filter } }: RouteInput<typeof routes.listDeliveries>,
  ): Promise<RouteOutput<typeof routes.listDeliveries>> {
    return this.commands.request(commands.list_deliveries, {
      ...filter,
      org_id,
      cursor: cursor ?? null,
      limit,
    });
  }

  @Handles(routes.redeliver)
  redeliver(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.redeliver>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.redeliver>> {
    return this.commands.request(commands.redeliver, {
      ...changeOf(principal, request),
      delivery_id: idOf('dlv', params.delivery_id, 'delivery'),
    });
  }
}

const changeOf = (principal: Principal, request: GatewayRequest) => ({
  org_id: principal.orgId,
  actor: actorOf(principal, viaOf(principal, request)),
  correlation_id: request.id,
});

const channelIdOf = ({ channel_id }: { readonly channel_id: string }) => idOf('chn', channel_id, 'channel');

/** A malformed id is answered like an unknown one. */
function idOf(prefix: IdPrefix, text: string, what: string): string {
  if (!typeId(prefix).safeParse(text).success)
    throw new Refused('NOT_FOUND', `there is no such ${what} in this workspace`);
  return text;
}
