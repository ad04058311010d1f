import type { NewChannelView } from '@agentlattice/contracts';
import type { EventStore } from '@agentlattice/event-store';
import type pg from 'pg';
import { typeid } from 'typeid-js';
import { insertChannel, readChannelView } from '../outbound/channel-rows.js';
import type { ChannelSenders } from '../outbound/channels/channel-sender.js';
import { asksForOutcomes, followOutcomesFrom } from '../outbound/outcomes-position.js';
import { newSigningSecret, type SecretBox } from '../outbound/secret-box.js';
import { changeChannel, type ChannelRequest } from './channel-change.js';
import { readSettings } from './read-settings.js';

export interface CreateChannelPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly box: SecretBox;
  readonly senders: ChannelSenders;
  /** The number of the ledger's newest event. */
  readonly outcomesHead: () => Promise<number>;
}

/** Makes a channel. Its secret, where the type is signed, is in this answer alone. @throws Refused VALIDATION_FAILED */
export const makeCreateChannel =
  ({ pool, store, box, senders, outcomesHead }: CreateChannelPorts) =>
  async ({
    org_id,
    channel: input,
    ...change
  }: ChannelRequest<'create_channel'>): Promise<NewChannelView> => {
    const { type, name, events, enabled, ...rest } = input;
    const settings = readSettings(type, rest);
    const channel_id = typeid('chn').toString();
    const secret = senders[type].signed ? newSigningSecret() : null;
    const sealed = secret === null ? null : box.seal(secret, channel_id);
    const channel = { channel_id, channel_type: type, name, events: [...new Set(events)], enabled };
    const head = asksForOutcomes(channel) ? await outcomesHead() : null;
    await changeChannel(
      store,
      { orgId: org_id, channelId: channel_id },
      { type: 'CreateChannel', channel },
      change,
      async (tx, event, state) => {
        if (head !== null) await followOutcomesFrom(tx, head);
        await insertChannel(tx, event, state, { settings, secret: sealed });
      },
    );
    return { ...(await readChannelView(pool, org_id, channel_id)), ...(secret === null ? {} : { secret }) };
  };
export type CreateChannel = ReturnType<typeof makeCreateChannel>;
