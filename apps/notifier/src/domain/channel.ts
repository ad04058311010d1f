import {
  type ChannelType,
  type DomainEvent,
  type EventData,
  type OutgoingEventType,
  Refused,
} from '@agentlattice/contracts';
import { assertNever, type Decider } from '@agentlattice/decider';

export type ChannelEvent = DomainEvent<
  | 'channel.created'
  | 'channel.updated'
  | 'channel.deleted'
  | 'channel.secret_rotated'
  | 'channel.tested'
  | 'endpoint.disabled'
>;

/** The public part of a channel. Settings are erasable or secret, so events contain only the names of changed settings. */
export type Channel =
  | { readonly status: 'none' | 'deleted' }
  | {
      readonly status: 'live';
      readonly channel_id: string;
      readonly channel_type: ChannelType;
      readonly name: string;
      readonly events: OutgoingEventType[];
      readonly enabled: boolean;
    };
export type LiveChannel = Extract<Channel, { status: 'live' }>;

export type ChannelCommand =
  | { readonly type: 'CreateChannel'; readonly channel: EventData<'channel.created'> }
  | {
      readonly type: 'UpdateChannel';
      readonly patch: Partial<Pick<LiveChannel, 'name' | 'events' | 'enabled'>>;
      readonly changedSettings: readonly string[];
    }
  | { readonly type: 'DeleteChannel' | 'TestChannel' }
  | { readonly type: 'RotateSecret'; readonly formerUntil: Date }
  /** By the system: the receiver is gone, or nothing reached it for days. */
  | {
      readonly type: 'DisableEndpoint';
      readonly reason: EventData<'endpoint.disabled'>['reason'];
      readonly deliveryId: string;
    };

export const channelDecider: Decider<Channel, ChannelCommand, ChannelEvent> = {
  initialState: () => ({ status: 'none' }),
  decide,
  evolve,
};

/** @throws Refused NOT_FOUND for a channel that does not exist, or was deleted */
function decide(command: ChannelCommand, state: Channel): readonly ChannelEvent[] {
  if (command.type === 'CreateChannel')
    return state.status === 'none' ? [{ type: 'channel.created', data: command.channel }] : [];
  if (state.status !== 'live') {
    // The channel of a late delivery is already deleted.
    if (command.type === 'DisableEndpoint') return [];
    throw new Refused('NOT_FOUND', 'there is no such channel in this workspace');
  }
  const { channel_id, channel_type, name, events, enabled } = state;
  const subject = { channel_id, name, channel_type };
  switch (command.type) {
    case 'UpdateChannel': {
      const before = { name, events, enabled };
      const after = { ...before, ...command.patch };
      const changed = [
        ...(['name', 'events', 'enabled'] as const).filter(
          (member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]),
        ),
        ...command.changedSettings,
      ];
      if (changed.length === 0) return [];
      return [{ type: 'channel.updated', data: { channel_id, channel_type, ...after, changed } }];
    }
    case 'DeleteChannel':
      return [{ type: 'channel.deleted', data: subject }];
    case 'TestChannel':
      return [{ type: 'channel.tested', data: subject }];
    case 'RotateSecret':
      return [
        {
          type: 'channel.secret_rotated',
          data: { ...subject, former_until: command.formerUntil.toISOString() },
        },
      ];
    case 'DisableEndpoint': {
      const { reason, deliveryId: delivery_id } = command;
      return enabled ? [{ type: 'endpoint.disabled', data: { ...subject, reason, delivery_id } }] : [];
    }
    default:
      return assertNever(command);
  }
}

function evolve(state: Channel, event: ChannelEvent): Channel {
  switch (event.type) {
    case 'channel.created':
    case 'channel.updated': {
      const { channel_id, channel_type, name, events, enabled } = event.data;
      return { status: 'live', channel_id, channel_type, name, events, enabled };
    }
    case 'channel.deleted':
      return { status: 'deleted' };
    case 'channel.secret_rotated':
    case 'channel.tested':
      return state;
    case 'endpoint.disabled':
      return state.status === 'live' ? { ...state, enabled: false } : state;
    default:
      return assertNever(event);
  }
}
