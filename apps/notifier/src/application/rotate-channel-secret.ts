import { type EventData, type NewChannelView, Refused } from '@agentlattice/contracts';
import type { EventStore } from '@agentlattice/event-store';
import type pg from 'pg';
import type { ChannelCommand } from '../domain/channel.js';
import { readChannel, readChannelView, replaceSecret } from '../outbound/channel-rows.js';
import type { ChannelSenders } from '../outbound/channels/channel-sender.js';
import { newSigningSecret, type SecretBox } from '../outbound/secret-box.js';
import { changeChannel, type ChannelRequest } from './channel-change.js';

export interface RotateChannelSecretPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly box: SecretBox;
  readonly senders: ChannelSenders;
}

/** Until the overlap ends, both secrets sign. @throws Refused NOT_FOUND or CHANNEL_HAS_NO_SECRET */
export const makeRotateChannelSecret =
  ({ pool, store, box, senders }: RotateChannelSecretPorts) =>
  async (request: ChannelRequest<'rotate_secret'>): Promise<NewChannelView> => {
    const { org_id, channel_id, overlap_ms, ...change } = request;
    const { type } = await readChannel(pool, org_id, channel_id);
    if (!senders[type].signed)
      throw new Refused('CHANNEL_HAS_NO_SECRET', `channels of type ${type} do not sign their messages`);
    const secret = newSigningSecret();
    const sealed = box.seal(secret, channel_id);
    const command = (now: Date): ChannelCommand => ({
      type: 'RotateSecret',
      formerUntil: new Date(now.getTime() + overlap_ms),
    });
    const channel = { orgId: org_id, channelId: channel_id };
    await changeChannel(store, channel, command, change, (tx, event) =>
      replaceSecret(tx, event, {
        secret: sealed,
        formerUntil: (event.data as EventData<'channel.secret_rotated'>).former_until,
      }),
    );
    return { ...(await readChannelView(pool, org_id, channel_id)), secret };
  };
export type RotateChannelSecret = ReturnType<typeof makeRotateChannelSecret>;
