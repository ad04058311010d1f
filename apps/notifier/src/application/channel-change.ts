import type { CommandRequest, notifierCommands } from '@agentlattice/contracts';
import type { EventMeta, EventStore, StoredEvent, Tx } from '@agentlattice/event-store';
import { currentTraceparent } from '@agentlattice/observability';
import { type Channel, type ChannelCommand, channelDecider, type LiveChannel } from '../domain/channel.js';

export type ChannelRequest<Verb extends keyof typeof notifierCommands> = CommandRequest<
  (typeof notifierCommands)[Verb]
>;

/** The actor and the request of a change. */
export type ChannelChange = Pick<ChannelRequest<'delete_channel'>, 'correlation_id'> & {
  readonly actor: EventMeta['actor'];
};

export const metaOf = ({ actor, correlation_id }: ChannelChange): EventMeta => ({
  actor,
  correlation_id,
  traceparent: currentTraceparent(),
});

/** Decides one command on a channel. The event and what `project` writes are one transaction; events hold no addresses and no secrets. */
export async function changeChannel(
  store: EventStore,
  { orgId, channelId }: { readonly orgId: string; readonly channelId: string },
  command: ChannelCommand | ((now: Date) => ChannelCommand),
  by: ChannelChange,
  project: (tx: Tx, event: StoredEvent, channel: LiveChannel) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  let before: Channel = channelDecider.initialState();
  await store.update({
    decider: {
      ...channelDecider,
      decide: (given, state) => channelDecider.decide(given, (before = state)),
    },
    orgId,
    streamId: channelId,
    command,
    meta: metaOf(by),
    project: async (tx, [event], state) => {
      // After a deletion the channel is the one before it.
      const live = state.status === 'live' ? state : before;
      if (event !== undefined && live.status === 'live') await project(tx, event, live);
    },
  });
}
