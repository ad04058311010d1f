import type { ProjectedEvent, Tx } from '@agentlattice/event-store';
import { outgoingEventOf } from '../domain/outgoing-event.js';

/** Keeps what the event goes out as, in the transaction that remembers the event. */
export async function storeOutgoingEvent(tx: Tx, event: ProjectedEvent): Promise<void> {
  const outgoing = outgoingEventOf(event);
  if (outgoing === null) return;
  await tx.query(
    `INSERT INTO outgoing_event (org_id, event_id, source, type, subject, occurred_at, data, correlation_id, traceparent)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      event.org_id,
      outgoing.id,
      outgoing.source,
      outgoing.type,
      outgoing.subject,
      outgoing.time,
      JSON.stringify(outgoing.data),
      event.correlation_id,
      event.traceparent,
    ],
  );
}
