import type { DomainEvent, EventData } from '@agentlattice/contracts';
import { appendEvents, type EventMeta, type Tx } from '@agentlattice/event-store';

type DeliveryEvent = DomainEvent<'delivery.dead' | 'delivery.redelivered'>;
type Facts = EventData<'delivery.redelivered'>;

/** What every event of a delivery says. */
export const factsOf = ({ delivery_id, channel_id, event_id, event_type, approval_id }: Facts): Facts => ({
  delivery_id,
  channel_id,
  event_id,
  event_type,
  approval_id,
});

/** A delivery may die and be sent again many times; its row is locked, so the versions follow one another. */
export async function appendDeliveryEvent(
  tx: Tx,
  event: DeliveryEvent & { readonly org_id: string; readonly occurred_at: Date; readonly meta: EventMeta },
): Promise<void> {
  const stream_id = event.data.delivery_id;
  const { rows } = await tx.query<{ version: number }>(
    'SELECT count(*)::int + 1 AS version FROM event WHERE org_id = $1 AND stream_id = $2',
    [event.org_id, stream_id],
  );
  await appendEvents(tx, [{ ...event, stream_id, version: rows[0]?.version ?? 1 }]);
}
