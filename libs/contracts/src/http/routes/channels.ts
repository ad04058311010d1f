import { z } from 'zod';
import {
  channelInput,
  channelPatch,
  channelTest,
  channelView,
  deliveryFilter,
  deliveryView,
  newChannelView,
} from '../../channels/channel.js';
import { cursor, duration, limit } from '../../primitives.js';
import { ok, route } from '../route.js';

const params = z.object({ channel_id: z.string().min(1).max(255) });
const page = { cursor: cursor().optional(), limit: limit(200, 50) };
const read = ['operator:viewer'] as const;
const write = ['operator:admin'] as const;

export const channelRoutes = {
  listChannels: route({
    id: 'listChannels',
    method: 'GET',
    path: '/api/v1/channels',
    tag: 'Channels',
    summary: 'The channels of the workspace',
    callers: read,
    query: z.object(page),
    responses: { 200: ok(z.object({ channels: z.array(channelView), next_cursor: z.string().nullable() })) },
  }),
  createChannel: route({
    id: 'createChannel',
    method: 'POST',
    path: '/api/v1/channels',
    tag: 'Channels',
    summary: 'Create a channel',
    callers: write,
    body: channelInput,
    responses: {
      201: {
        ...ok(newChannelView, 'Created; the secret of a webhook is shown once'),
        headers: { Location: 'The channel' },
      },
    },
  }),
  getChannel: route({
    id: 'getChannel',
    method: 'GET',
    path: '/api/v1/channels/{channel_id}',
    tag: 'Channels',
    summary: 'One channel, without its secret',
    callers: read,
    params,
    responses: { 200: ok(channelView) },
    errors: ['NOT_FOUND'],
  }),
  updateChannel: route({
    id: 'updateChannel',
    method: 'PATCH',
    path: '/api/v1/channels/{channel_id}',
    tag: 'Channels',
    summary: 'Change members of a channel',
    description: 'Pending deliveries of a channel become dead when it is disabled; they can be redelivered.',
    callers: write,
    params,
    body: channelPatch,
    responses: { 200: ok(channelView) },
    errors: ['NOT_FOUND'],
  }),
  deleteChannel: route({
    id: 'deleteChannel',
    method: 'DELETE',
    path: '/api/v1/channels/{channel_id}',
    tag: 'Channels',
    summary: 'Delete a channel; its deliveries stay listed',
    callers: write,
    params,
    responses: { 200: ok(z.object({ id: z.string(), deleted: z.literal(true) })) },
    errors: ['NOT_FOUND'],
  }),
  rotateChannelSecret: route({
    id: 'rotateChannelSecret',
    method: 'POST',
    path: '/api/v1/channels/{channel_id}/rotate-secret',
    tag: 'Channels',
    summary: 'Create a new secret; the old one also signs for the overlap',
    callers: write,
    params,
    body: z.strictObject({ overlap: z.union([z.literal('0s'), duration()]).default('24h') }),
    responses: { 200: ok(newChannelView, 'The new secret is shown once') },
    errors: ['NOT_FOUND', 'CHANNEL_HAS_NO_SECRET'],
  }),
  testChannel: route({
    id: 'testChannel',
    method: 'POST',
    path: '/api/v1/channels/{channel_id}/test',
    tag: 'Channels',
    summary: 'Send a test now; returns the request and the answer',
    callers: write,
    params,
    body: z.strictObject({}),
    responses: { 200: ok(channelTest, 'The result, also when it did not arrive') },
    errors: ['NOT_FOUND'],
  }),
  listDeliveries: route({
    id: 'listDeliveries',
    method: 'GET',
    path: '/api/v1/deliveries',
    tag: 'Channels',
    summary: 'Deliveries, newest first',
    callers: read,
    query: deliveryFilter.extend(page),
    responses: {
      200: ok(z.object({ deliveries: z.array(deliveryView), next_cursor: z.string().nullable() })),
    },
  }),
  redeliver: route({
    id: 'redeliver',
    method: 'POST',
    path: '/api/v1/deliveries/{delivery_id}/redeliver',
    tag: 'Channels',
    summary: 'Send a delivery again, with the same webhook-id',
    callers: write,
    params: z.object({ delivery_id: z.string().min(1).max(255) }),
    body: z.strictObject({}),
    responses: { 200: ok(deliveryView, 'It is sent at once') },
    errors: ['NOT_FOUND', 'CHANNEL_DISABLED', 'DELIVERY_UNDER_WAY'],
  }),
} as const;
