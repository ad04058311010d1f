import type {
  ChannelInput,
  ChannelPatch,
  ChannelTest,
  ChannelView,
  DeliveryStatus,
  DeliveryView,
  NewChannelView,
  OutgoingEventType,
} from '@agentlattice/contracts';
import { call, pathSegment } from './client.js';
import { loadAll } from './paged.js';

export type Channel = ChannelView;
export type NewChannel = NewChannelView;
export type Delivery = DeliveryView;
export type { ChannelInput, ChannelPatch, ChannelTest, DeliveryStatus, OutgoingEventType };

const path = '/api/v1/channels';
const one = (id: string) => `${path}/${pathSegment(id)}`;
export const channelsKey = ['channels'] as const;
export const deliveriesKey = ['deliveries'] as const;

export const listChannels = (cursor?: string, signal?: AbortSignal) =>
  call<{ channels: readonly Channel[]; next_cursor: string | null }>('GET', path, {
    query: { cursor, limit: 100 },
    ...(signal === undefined ? {} : { signal }),
  });
export const allChannels = () => loadAll(listChannels, ({ channels }) => channels);
export const createChannel = (body: ChannelInput) => call<NewChannel>('POST', path, { body });
export const updateChannel = (id: string, body: ChannelPatch) => call<Channel>('PATCH', one(id), { body });
export const deleteChannel = (id: string) => call<unknown>('DELETE', one(id));
export const rotateSecret = (id: string, overlap: string) =>
  call<NewChannel>('POST', `${one(id)}/rotate-secret`, { body: { overlap } });
export const testChannel = (id: string) => call<ChannelTest>('POST', `${one(id)}/test`, { body: {} });

export interface DeliveryFilter {
  readonly status?: DeliveryStatus;
  readonly channel_id?: string;
  readonly approval_id?: string;
}
export const listDeliveries = (
  filter: DeliveryFilter,
  page: { readonly cursor?: string | undefined; readonly limit: number },
  signal?: AbortSignal,
) =>
  call<{ deliveries: readonly Delivery[]; next_cursor: string | null }>('GET', '/api/v1/deliveries', {
    query: { ...filter, ...page },
    ...(signal === undefined ? {} : { signal }),
  });
export const redeliver = (id: string) =>
  call<Delivery>('POST', `/api/v1/deliveries/${pathSegment(id)}/redeliver`, { body: {} });
