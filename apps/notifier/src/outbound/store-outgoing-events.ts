import type { Tx } from '@agentlattice/event-store';
import { typeid } from 'typeid-js';
import { outgoingEventOf, type OutgoingSource } from '@agentlattice/contracts';
import {
  endsRequest,
  planDeliveries,
  type PlannedDelivery,
  type Subscriber,
} from '../domain/plan-deliveries.js';

/**
 * Stores outgoing events and makes their deliveries in the transaction that takes the events in, with one statement for all of a batch.
 * The end of a request supersedes undelivered deliveries about it.
 */
export async function storeOutgoingEvents(tx: Tx, events: readonly OutgoingSource[]): Promise<void> {
  const outgoing = events.flatMap((event) => {
    const told = outgoingEventOf(event);
    return told === null ? [] : [{ event, told }];
  });
  if (outgoing.length === 0) return;
  const channels = await subscribersOf(tx, [...new Set(outgoing.map(({ event }) => event.org_id))]);
  const planned = outgoing
    .map(({ event, told }) => ({
      event,
      told,
      deliveries: planDeliveries(event, told, channels.get(event.org_id) ?? []),
    }))
    // Outcomes of submissions come in thousands, and the ledger keeps them all.
    .filter(({ told, deliveries }) => !told.type.startsWith('action.') || deliveries.length > 0);
  if (planned.length === 0) return;
  const positions = await insertEvents(
    tx,
    planned.map(({ event: { org_id, correlation_id, traceparent }, told }) => ({
      org_id,
      event_id: told.id,
      source: told.source,
      type: told.type,
      subject: told.subject,
      occurred_at: told.time,
      data: JSON.stringify(told.data),
      correlation_id,
      traceparent,
    })),
  );
  await insertDeliveries(
    tx,
    planned.flatMap(({ event, told, deliveries }) =>
      deliveries.map((delivery) => ({
        ...delivery,
        org_id: event.org_id,
        event_id: told.id,
        event_type: told.type,
        event_position: positions.get(told.id),
      })),
    ),
  );
  await supersede(
    tx,
    planned.flatMap(({ event: { org_id }, told }) =>
      endsRequest(told.type) ? [{ org_id, approval_id: told.subject, position: positions.get(told.id) }] : [],
    ),
  );
}

async function subscribersOf(tx: Tx, orgs: readonly string[]): Promise<Map<string, Subscriber[]>> {
  const { rows } = await tx.query<Subscriber & { org_id: string }>(
    `SELECT org_id, channel_id, type, events FROM channel
      WHERE org_id = ANY ($1) AND enabled AND deleted_at IS NULL ORDER BY channel_id`,
    [orgs],
  );
  return Map.groupBy(rows, (row) => row.org_id);
}

/** @returns the position of each by its id */
async function insertEvents(tx: Tx, rows: readonly object[]): Promise<Map<string, string>> {
  const inserted = await tx.query<{ event_id: string; position: string }>(
    `INSERT INTO outgoing_event (org_id, event_id, source, type, subject, occurred_at, data, correlation_id, traceparent)
     SELECT * FROM jsonb_to_recordset($1::jsonb)
       AS r (org_id text, event_id text, source text, type text, subject text, occurred_at timestamptz, data text,
             correlation_id text, traceparent text)
     RETURNING event_id, position`,
    [JSON.stringify(rows)],
  );
  return new Map(inserted.rows.map((row) => [row.event_id, row.position]));
}

interface DeliveryRow extends PlannedDelivery {
  readonly org_id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly event_position: string | undefined;
}

async function insertDeliveries(tx: Tx, deliveries: readonly DeliveryRow[]): Promise<void> {
  if (deliveries.length === 0) return;
  const rows = deliveries.map((delivery) => ({
    ...delivery,
    delivery_id: typeid('dlv').toString(),
    // All mail uses one server, which workspaces share, not receivers.
    lane: delivery.type === 'email' ? `email:${delivery.org_id}` : delivery.target,
  }));
  await tx.query(
    `INSERT INTO delivery (delivery_id, org_id, channel_id, type, target, lane, event_id, event_position, event_type,
                           approval_id, pending_until)
     SELECT * FROM jsonb_to_recordset($1::jsonb)
       AS r (delivery_id text, org_id text, channel_id text, type text, target text, lane text, event_id text,
             event_position bigint, event_type text, approval_id text, pending_until timestamptz)`,
    [JSON.stringify(rows)],
  );
}

/**
 * A delivery that is being sent keeps its claim, so that later ones wait until it ends. Every transaction that changes several rows
 * locks them in the same order.
 */
async function supersede(
  tx: Tx,
  ended: readonly { org_id: string; approval_id: string; position: string | undefined }[],
): Promise<void> {
  if (ended.length === 0) return;
  await tx.query(
    `WITH left_over AS MATERIALIZED (
       SELECT d.delivery_id FROM delivery d
         JOIN jsonb_to_recordset($1::jsonb) AS e (org_id text, approval_id text, position bigint)
           ON d.org_id = e.org_id AND d.approval_id = e.approval_id AND d.event_position < e.position
        WHERE d.status = 'pending' ORDER BY d.position FOR UPDATE OF d)
     UPDATE delivery d
        SET status = 'superseded', due_at = CASE WHEN d.claim IS NULL THEN NULL ELSE d.due_at END
       FROM left_over l WHERE d.delivery_id = l.delivery_id`,
    [JSON.stringify(ended)],
  );
}
