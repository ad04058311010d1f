import type { EventStore } from '@agentlattice/event-store';
import { eraseChannel } from '../outbound/channel-rows.js';
import { changeChannel, type ChannelRequest } from './channel-change.js';

/** Deletes a channel with its address and its secrets. @throws Refused NOT_FOUND */
export const makeDeleteChannel =
  ({ store }: { readonly store: EventStore }) =>
  async ({
    org_id,
    channel_id,
    ...change
  }: ChannelRequest<'delete_channel'>): Promise<{ channel_id: string }> => {
    const channel = { orgId: org_id, channelId: channel_id };
    await changeChannel(store, channel, { type: 'DeleteChannel' }, change, eraseChannel);
    return { channel_id };
  };
export type DeleteChannel = ReturnType<typeof makeDeleteChannel>;
