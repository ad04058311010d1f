import type { OutgoingSource } from '@agentlattice/contracts';
import type { EventStore, StoredEvent } from '@agentlattice/event-store';
import { updateChannel } from '../outbound/channel-rows.js';
import { storeOutgoingEvents } from '../outbound/store-outgoing-events.js';
import { changeChannel, type ChannelChange } from './channel-change.js';

const bySystem: ChannelChange = {
  actor: { kind: 'system', id: null, key_id: null, via: 'system' },
  correlation_id: null,
};

/**
 * Disables a channel whose receiver is gone, or that nothing reached for days. Its other deliveries end, and the workspace is
 * notified by an event.
 */
export const makeDisableChannel =
  ({ store }: { readonly store: EventStore }) =>
  (orgId: string, channelId: string, reason: 'gone' | 'failing', deliveryId: string): Promise<void> =>
    changeChannel(
      store,
      { orgId, channelId },
      { type: 'DisableEndpoint', reason, deliveryId },
      bySystem,
      async (tx, event, channel) => {
        await updateChannel(tx, event, channel, { settings: null, disabledReason: reason });
        await storeOutgoingEvents(tx, [toSource(event)]);
      },
    );
export type DisableChannel = ReturnType<typeof makeDisableChannel>;

const toSource = (event: StoredEvent): OutgoingSource =>
  ({
    event_id: event.event_id,
    org_id: event.org_id,
    source: 'notifier',
    occurred_at: event.occurred_at.toISOString(),
    correlation_id: event.meta.correlation_id,
    traceparent: event.meta.traceparent,
    type: event.type,
    data: event.data,
  }) as OutgoingSource;
