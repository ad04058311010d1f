import type { ChannelType, OutgoingEvent, OutgoingEventType } from '@agentlattice/contracts';
import type { OutgoingSource } from '@agentlattice/contracts';

/** An enabled channel of the event's workspace. */
export interface Subscriber {
  readonly channel_id: string;
  readonly type: ChannelType;
  readonly events: readonly OutgoingEventType[];
}

export interface PlannedDelivery {
  /** Null for a contact of a policy. */
  readonly channel_id: string | null;
  readonly type: ChannelType;
  /** The receiver: the channel, or the contact's address. Deliveries to one receiver about one request are in order. */
  readonly target: string;
  readonly approval_id: string | null;
  /** The deadline of the pending request; until then retries are quick. */
  readonly pending_until: string | null;
}

const ends: ReadonlySet<OutgoingEventType> = new Set([
  'approval.approved',
  'approval.denied',
  'approval.auto_resolved',
  'approval.timed_out',
  'approval.cancelled',
]);

/** Whether the event ends its request, so that undelivered earlier events about it are superseded. */
export const endsRequest = (type: OutgoingEventType) => ends.has(type);

/** The receivers of an event: the channels that subscribe to it and, of an escalation, also the channels and people of its step. */
export function planDeliveries(
  event: OutgoingSource,
  outgoing: OutgoingEvent,
  channels: readonly Subscriber[],
): PlannedDelivery[] {
  const step = event.type === 'approval.escalated' ? event.data.step : undefined;
  const isAbout = outgoing.type.startsWith('approval.');
  const timeoutAt = outgoing.data['timeout_at'];
  const common = {
    approval_id: isAbout ? outgoing.subject : null,
    pending_until: isAbout && !endsRequest(outgoing.type) && typeof timeoutAt === 'string' ? timeoutAt : null,
  };
  const told = channels
    .filter(({ channel_id, events }) => events.includes(outgoing.type) || step?.channels.includes(channel_id))
    .map(({ channel_id, type }) => ({ channel_id, type, target: channel_id, ...common }));
  const contacts = new Map((step?.contacts ?? []).map((address) => [address.toLowerCase(), address]));
  const mails = [...contacts.values()].map((target) => ({
    channel_id: null,
    type: 'email' as const,
    target,
    ...common,
  }));
  return [...told, ...mails];
}
