import type { ChannelSettings, ChannelView } from '@agentlattice/contracts';
import type { EventStore } from '@agentlattice/event-store';
import type pg from 'pg';
import { type ChannelCommand, channelDecider } from '../domain/channel.js';
import {
  channelIn,
  readChannelStatement,
  readChannelView,
  updateChannelStatements,
} from '../outbound/channel-rows.js';
import { asksForOutcomes, followOutcomesFromStatement } from '../outbound/outcomes-position.js';
import { type ChannelChange, type ChannelRequest, metaOf } from './channel-change.js';
import { readSettings } from './read-settings.js';

export interface UpdateChannelPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  /** The number of the ledger's newest event. */
  readonly outcomesHead: () => Promise<number>;
}

/** The update needs the ledger's position, which must be read before its transaction begins. */
class HeadIsNeeded extends Error {}

/** @throws Refused NOT_FOUND or VALIDATION_FAILED */
export const makeUpdateChannel =
  ({ pool, store, outcomesHead }: UpdateChannelPorts) =>
  async ({
    org_id,
    channel_id,
    patch,
    ...change
  }: ChannelRequest<'update_channel'>): Promise<ChannelView> => {
    const update = (head: number | null) =>
      updateOnce(store, { orgId: org_id, channelId: channel_id }, patch, change, head);
    try {
      await update(null);
    } catch (error) {
      if (!(error instanceof HeadIsNeeded)) throw error;
      await update(await outcomesHead());
    }
    return readChannelView(pool, org_id, channel_id);
  };
export type UpdateChannel = ReturnType<typeof makeUpdateChannel>;

/**
 * The row is read under the lock of its stream, so two changes of different members at the same time both take effect.
 * @throws HeadIsNeeded when the channel begins to ask for outcomes and `head` is null
 */
async function updateOnce(
  store: EventStore,
  { orgId, channelId }: { readonly orgId: string; readonly channelId: string },
  { name, events, enabled, ...rest }: ChannelRequest<'update_channel'>['patch'],
  change: ChannelChange,
  head: number | null,
): Promise<void> {
  const patch = {
    ...(name === undefined ? {} : { name }),
    ...(events === undefined ? {} : { events: [...new Set(events)] }),
    ...(enabled === undefined ? {} : { enabled }),
  };
  let settings: ChannelSettings | null = null;
  let begins = false;
  const { outcomes } = await store.decideEach({
    decider: channelDecider,
    streams: [{ orgId, streamId: channelId, meta: metaOf(change) }],
    reads: [readChannelStatement(orgId, channelId)],
    command: (_now, _stream, [read]): ChannelCommand => {
      const row = channelIn(read);
      const names = Object.keys(rest);
      settings = names.length === 0 ? null : readSettings(row.type, { ...row.settings, ...rest });
      begins = asksForOutcomes({ ...row, ...patch }) && !asksForOutcomes(row);
      if (begins && head === null) throw new HeadIsNeeded();
      const isNew = (member: string) =>
        JSON.stringify(memberOf(row.settings, member)) !== JSON.stringify(memberOf(settings ?? {}, member));
      return { type: 'UpdateChannel', patch, changedSettings: names.filter(isNew) };
    },
    along: ([outcome]) => {
      const event = outcome?.events[0];
      if (event === undefined || outcome?.state.status !== 'live') return [];
      return [
        ...(begins && head !== null ? [followOutcomesFromStatement(head)] : []),
        ...updateChannelStatements(event, outcome.state, { settings, disabledReason: null }),
      ];
    },
  });
  const refused = outcomes[0]?.refused;
  if (refused) throw refused;
}

const memberOf = (settings: object, member: string): unknown =>
  (settings as Readonly<Record<string, unknown>>)[member];
