import {
  type ChannelSettings,
  type ChannelType,
  type ChannelView,
  disabledReasons,
  type OutgoingEventType,
  Refused,
} from '@agentlattice/contracts';
import type { Statement, StoredEvent, Tx } from '@agentlattice/event-store';
import type pg from 'pg';
import type { LiveChannel } from '../domain/channel.js';

export interface ChannelRow {
  readonly org_id: string;
  readonly channel_id: string;
  readonly type: ChannelType;
  readonly name: string;
  readonly events: OutgoingEventType[];
  readonly enabled: boolean;
  readonly disabled_reason: (typeof disabledReasons)[number] | null;
  readonly settings: ChannelSettings;
  /** Sealed. */
  readonly secret: string | null;
  readonly former_secret: string | null;
  readonly former_until: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const readChannelStatement = (orgId: string, channelId: string): Statement => ({
  text: 'SELECT * FROM channel WHERE org_id = $1 AND channel_id = $2 AND deleted_at IS NULL',
  values: [orgId, channelId],
});

/** @throws Refused NOT_FOUND */
export function channelIn(read: pg.QueryResult | undefined): ChannelRow {
  const row = read?.rows[0] as ChannelRow | undefined;
  if (row === undefined) throw new Refused('NOT_FOUND', 'there is no such channel in this workspace');
  return row;
}

/** @throws Refused NOT_FOUND */
export async function readChannel(db: Tx | pg.Pool, orgId: string, channelId: string): Promise<ChannelRow> {
  const { text, values } = readChannelStatement(orgId, channelId);
  return channelIn(await db.query(text, [...values]));
}

/** A channel as the API shows it. @throws Refused NOT_FOUND */
export async function readChannelView(pool: pg.Pool, orgId: string, channelId: string): Promise<ChannelView> {
  return toChannelView(await readChannel(pool, orgId, channelId));
}

export async function insertChannel(
  tx: Tx,
  event: StoredEvent,
  channel: LiveChannel,
  { settings, secret }: { settings: ChannelSettings; secret: string | null },
): Promise<void> {
  await tx.query(
    `INSERT INTO channel (org_id, channel_id, type, name, events, enabled, settings, secret, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
    [
      event.org_id,
      channel.channel_id,
      channel.channel_type,
      channel.name,
      channel.events,
      channel.enabled,
      JSON.stringify(settings),
      secret,
      event.occurred_at.toISOString(),
    ],
  );
}

/** @param change null settings leave the settings unchanged */
export const updateChannelStatements = (
  event: StoredEvent,
  channel: LiveChannel,
  { settings, disabledReason }: { settings: ChannelSettings | null; disabledReason: string | null },
): Statement[] => [
  {
    text: `UPDATE channel SET name = $3, events = $4, enabled = $5, settings = coalesce($6, settings),
            disabled_reason = CASE WHEN $5 THEN NULL ELSE coalesce($7, disabled_reason) END, updated_at = $8
      WHERE org_id = $1 AND channel_id = $2`,
    values: [
      event.org_id,
      channel.channel_id,
      channel.name,
      channel.events,
      channel.enabled,
      settings === null ? null : JSON.stringify(settings),
      disabledReason,
      event.occurred_at.toISOString(),
    ],
  },
  ...(channel.enabled ? [] : [endDeliveriesStatement(event.org_id, channel.channel_id)]),
  // The change may have repaired the cause of earlier failures.
  {
    text: 'UPDATE channel_failures SET failures = 0 WHERE org_id = $1 AND channel_id = $2',
    values: [event.org_id, channel.channel_id],
  },
];

export async function updateChannel(
  tx: Tx,
  ...change: Parameters<typeof updateChannelStatements>
): Promise<void> {
  for (const { text, values } of updateChannelStatements(...change)) await tx.query(text, [...values]);
}

/** Addresses and secrets are erased; the name is kept for the list of deliveries. */
export async function eraseChannel(tx: Tx, { org_id, stream_id, occurred_at }: StoredEvent): Promise<void> {
  await tx.query(
    `UPDATE channel SET enabled = false, settings = '{}', secret = NULL, former_secret = NULL, former_until = NULL,
            updated_at = $3, deleted_at = $3
      WHERE org_id = $1 AND channel_id = $2`,
    [org_id, stream_id, occurred_at.toISOString()],
  );
  const { text, values } = endDeliveriesStatement(org_id, stream_id);
  await tx.query(text, [...values]);
}

export async function replaceSecret(
  tx: Tx,
  { org_id, stream_id, occurred_at }: StoredEvent,
  { secret, formerUntil }: { secret: string; formerUntil: string },
): Promise<void> {
  await tx.query(
    `UPDATE channel SET former_secret = secret, former_until = $4, secret = $3, updated_at = $5
      WHERE org_id = $1 AND channel_id = $2`,
    [org_id, stream_id, secret, formerUntil, occurred_at.toISOString()],
  );
}

/** Ends the pending deliveries of a channel that was disabled or deleted; the channel's own event says why. */
const endDeliveriesStatement = (orgId: string, channelId: string): Statement => ({
  text: `WITH left_over AS MATERIALIZED (
       SELECT delivery_id FROM delivery
        WHERE org_id = $1 AND channel_id = $2 AND status = 'pending' ORDER BY position FOR UPDATE)
     UPDATE delivery d SET status = 'dead', error = 'the channel was disabled or deleted',
            due_at = CASE WHEN d.claim IS NULL THEN NULL ELSE d.due_at END
       FROM left_over l WHERE d.delivery_id = l.delivery_id`,
  values: [orgId, channelId],
});

export const toChannelView = (row: ChannelRow, now = new Date()): ChannelView => ({
  id: row.channel_id,
  type: row.type,
  name: row.name,
  events: row.events,
  enabled: row.enabled,
  ...row.settings,
  disabled_reason: row.disabled_reason,
  former_secret_until:
    row.former_until !== null && row.former_until > now ? row.former_until.toISOString() : null,
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
});
