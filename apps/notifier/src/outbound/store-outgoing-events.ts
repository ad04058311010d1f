import type { ProjectedEvent, Tx } from '@agentlattice/event-store';
import { outgoingEventOf } from '../domain/outgoing-event.js';

/** Keeps what events go out as, in the transaction that remembers them; one statement, for each verdict is an event. */
export async function storeOutgoingEvents(tx: Tx, events: readonly ProjectedEvent[]): Promise<void> {
  const rows = events.flatMap((event) => {
    const outgoing = outgoingEventOf(event);
    if (outgoing === null) return [];
    const { id: event_id, source, type, subject, time: occurred_at } = outgoing;
    const data = JSON.stringify(outgoing.data);
    const { org_id, correlation_id, traceparent } = event;
    return [{ org_id, event_id, source, type, subject, occurred_at, data, correlation_id, traceparent }];
  });
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO outgoing_event (org_id, event_id, source, type, subject, occurred_at, data, correlation_id, traceparent)
     SELECT * FROM jsonb_to_recordset($1::jsonb)
       AS r (org_id text, event_id text, source text, type text, subject text, occurred_at timestamptz, data text,
             correlation_id text, traceparent text)`,
    [JSON.stringify(rows)],
  );
}
