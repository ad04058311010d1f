import type { Mail, OutgoingEventType } from '@agentlattice/contracts';
import { appendEvents, type EventMeta, type Tx } from '@agentlattice/event-store';
import type {
  ChannelFailures,
  DeliveryEvent,
  DeliveryFacts,
  KnownDelivery,
  LoggedDeliveryEvent,
} from '../domain/delivery.js';

/** A delivery by the claim of the process that sends it, or by its workspace. */
export type DeliveryReference = { readonly deliveryId: string } & (
  { readonly claim: string } | { readonly orgId: string }
);

/** A delivery whose row is locked until the transaction ends. */
export interface LockedDelivery {
  readonly orgId: string;
  readonly state: KnownDelivery;
  /** A process is sending it at this moment. */
  readonly isClaimed: boolean;
  /** Whether its channel exists and is enabled, or it needs none. */
  readonly isReachable: boolean;
  /** By the database's clock. */
  readonly now: Date;
  readonly correlationId: string | null;
  readonly traceparent: string | null;
}

interface Row {
  readonly org_id: string;
  readonly delivery_id: string;
  readonly channel_id: string | null;
  readonly event_id: string;
  readonly event_type: OutgoingEventType;
  readonly approval_id: string | null;
  readonly status: KnownDelivery['status'];
  readonly attempts: number;
  readonly failures: number;
  readonly pending_until: Date | null;
  readonly due_at: Date | null;
  readonly refused: boolean;
  readonly error: string | null;
  readonly channel_failures: number | null;
  readonly failing_since: Date | null;
  readonly is_claimed: boolean;
  readonly is_reachable: boolean;
  readonly now: Date;
  readonly correlation_id: string | null;
  readonly traceparent: string | null;
}

/** Undefined when there is none, or when the claim has ended. */
export async function lockDelivery(
  tx: Tx,
  reference: DeliveryReference,
): Promise<LockedDelivery | undefined> {
  const [column, value] = 'claim' in reference ? ['claim', reference.claim] : ['org_id', reference.orgId];
  const { rows } = await tx.query<Row>(
    `SELECT d.org_id, d.delivery_id, d.channel_id, d.event_id, d.event_type, d.approval_id, d.status, d.attempts,
            d.failures, d.pending_until, d.due_at, d.refused, d.error,
            f.failures AS channel_failures, f.since AS failing_since,
            d.claim IS NOT NULL AND d.due_at > clock_timestamp() AS is_claimed,
            d.channel_id IS NULL OR coalesce(c.enabled AND c.deleted_at IS NULL, false) AS is_reachable,
            date_trunc('milliseconds', clock_timestamp()) AS now, e.correlation_id, e.traceparent
       FROM delivery d JOIN outgoing_event e USING (event_id)
       LEFT JOIN channel c ON c.org_id = d.org_id AND c.channel_id = d.channel_id
       LEFT JOIN channel_failures f ON f.org_id = d.org_id AND f.channel_id = d.channel_id
      WHERE d.delivery_id = $1 AND d.${column} = $2 FOR UPDATE OF d`,
    [reference.deliveryId, value],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    orgId: row.org_id,
    state: stateOf(row),
    isClaimed: row.is_claimed,
    isReachable: row.is_reachable,
    now: row.now,
    correlationId: row.correlation_id,
    traceparent: row.traceparent,
  };
}

const stateOf = (row: Row): KnownDelivery => ({
  status: row.status,
  facts: {
    delivery_id: row.delivery_id,
    channel_id: row.channel_id,
    event_id: row.event_id,
    event_type: row.event_type,
    approval_id: row.approval_id,
  },
  attempts: row.attempts,
  failures: row.failures,
  pendingUntil: row.pending_until,
  dueAt: row.due_at,
  refused: row.refused,
  error: row.error,
  channel:
    row.channel_id === null
      ? null
      : { failures: row.channel_failures ?? 0, since: row.failing_since ?? row.now },
});

/**
 * The failures of the delivery's channel, locked, because concurrent attempts at one channel are each counted. The delivery is locked
 * before.
 */
export async function lockChannelFailures(
  tx: Tx,
  { orgId, state: { facts }, now }: LockedDelivery,
): Promise<ChannelFailures | null> {
  if (facts.channel_id === null) return null;
  const { rows } = await tx.query<ChannelFailures>(
    `INSERT INTO channel_failures AS f (org_id, channel_id, failures, since) VALUES ($1, $2, 0, $3)
     ON CONFLICT (org_id, channel_id) DO UPDATE SET failures = f.failures RETURNING failures, since`,
    [orgId, facts.channel_id, now.toISOString()],
  );
  return rows[0] ?? null;
}

/** Writes the new state and ends the claim. @param mail the content of a mail that is kept instead of sent */
export async function saveDelivery(
  tx: Tx,
  { orgId, state }: LockedDelivery,
  after: KnownDelivery,
  mail: Mail | null,
): Promise<void> {
  await tx.query(
    `UPDATE delivery SET status = $2, attempts = $3, failures = $4, claim = NULL, due_at = $5, error = $6, refused = $7,
                         pending_until = $8, mail = $9,
                         delivered_at = CASE WHEN $2 = 'delivered' THEN clock_timestamp() END
      WHERE delivery_id = $1`,
    [
      state.facts.delivery_id,
      after.status,
      after.attempts,
      after.failures,
      after.dueAt?.toISOString() ?? null,
      after.error,
      after.refused,
      after.pendingUntil?.toISOString() ?? null,
      mail === null ? null : JSON.stringify(mail),
    ],
  );
  await saveChannelFailures(tx, orgId, state, after);
}

async function saveChannelFailures(
  tx: Tx,
  orgId: string,
  { facts }: KnownDelivery,
  { status, channel }: KnownDelivery,
): Promise<void> {
  if (facts.channel_id === null || channel === null) return;
  if (channel.failures > 0)
    await tx.query(
      'UPDATE channel_failures SET failures = $3, since = $4 WHERE org_id = $1 AND channel_id = $2',
      [orgId, facts.channel_id, channel.failures, channel.since.toISOString()],
    );
  // A success does not lock the row: it is written only when failures were counted.
  else if (status === 'delivered')
    await tx.query(
      'UPDATE channel_failures SET failures = 0 WHERE org_id = $1 AND channel_id = $2 AND failures > 0',
      [orgId, facts.channel_id],
    );
}

const isLogged = (event: DeliveryEvent): event is LoggedDeliveryEvent =>
  event.type === 'delivery.dead' || event.type === 'delivery.redelivered';

/** A delivery may become dead and be sent again many times. Its row is locked, so its versions are consecutive. */
export async function appendDeliveryEvents(
  tx: Tx,
  { orgId, now }: LockedDelivery,
  { delivery_id: stream_id }: DeliveryFacts,
  events: readonly DeliveryEvent[],
  meta: EventMeta,
): Promise<void> {
  const logged = events.filter(isLogged);
  if (logged.length === 0) return;
  const { rows } = await tx.query<{ next: number }>(
    'SELECT count(*)::int + 1 AS next FROM event WHERE org_id = $1 AND stream_id = $2',
    [orgId, stream_id],
  );
  const next = rows[0]?.next ?? 1;
  await appendEvents(
    tx,
    logged.map((event, i) => ({
      ...event,
      org_id: orgId,
      stream_id,
      version: next + i,
      occurred_at: now,
      meta,
    })),
  );
}
