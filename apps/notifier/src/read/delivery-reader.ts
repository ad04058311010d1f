import {
  type CommandRequest,
  type CommandResponse,
  type DeliveryView,
  type Mail,
  type notifierCommands,
  Refused,
} from '@agentlattice/contracts';
import { page, readCursor } from '@agentlattice/service';
import type pg from 'pg';
import { type ChannelRow, toChannelView } from '../outbound/channel-rows.js';

type Commands = typeof notifierCommands;

interface DeliveryRow {
  readonly position: string;
  readonly delivery_id: string;
  readonly channel_id: string | null;
  readonly type: DeliveryView['type'];
  readonly target: string;
  readonly event_id: string;
  readonly event_type: DeliveryView['event_type'];
  readonly approval_id: string | null;
  readonly status: DeliveryView['status'];
  readonly due_at: Date | null;
  readonly attempts: number;
  readonly error: string | null;
  readonly mail: string | null;
  readonly created_at: Date;
  readonly delivered_at: Date | null;
  readonly made: (Omit<DeliveryView['attempts'][number], 'at'> & { readonly at: string })[];
}

const select = `SELECT d.*, coalesce((
    SELECT jsonb_agg(a.made ORDER BY a.number DESC) FROM (
      SELECT t.number, to_jsonb(t) - 'delivery_id' AS made FROM delivery_attempt t
       WHERE t.delivery_id = d.delivery_id ORDER BY t.number DESC LIMIT 10) a), '[]') AS made
  FROM delivery d`;

/** The queries of operators about channels and deliveries. */
export class DeliveryReader {
  constructor(private readonly pool: pg.Pool) {}

  async which({ org_id, channel_ids }: CommandRequest<Commands['find_channels']>) {
    const { rows } = await this.pool.query<{ channel_id: string }>(
      'SELECT channel_id FROM channel WHERE org_id = $1 AND channel_id = ANY ($2) AND deleted_at IS NULL',
      [org_id, channel_ids],
    );
    return { channel_ids: rows.map(({ channel_id }) => channel_id) };
  }

  /** By id, which is the order in which they were made. */
  async channels(request: CommandRequest<Commands['list_channels']>) {
    const after = readCursor(request.cursor, /^chn_[0-9a-z]{26}$/) ?? '';
    const { rows } = await this.pool.query<ChannelRow>(
      `SELECT * FROM channel WHERE org_id = $1 AND channel_id > $2 AND deleted_at IS NULL
        ORDER BY channel_id LIMIT $3`,
      [request.org_id, after, request.limit + 1],
    );
    const { items, next_cursor } = page(rows, request.limit, (row) => row.channel_id);
    return { channels: items.map((row) => toChannelView(row)), next_cursor };
  }

  /** Newest first. */
  async list(
    request: CommandRequest<Commands['list_deliveries']>,
  ): Promise<CommandResponse<Commands['list_deliveries']>> {
    const before = readCursor(request.cursor, /^\d{1,18}$/);
    const { rows } = await this.pool.query<DeliveryRow>(
      `${select}
        WHERE d.org_id = $1 AND ($2::bigint IS NULL OR d.position < $2)
          AND ($3::text IS NULL OR d.status = $3)
          AND ($4::text IS NULL OR d.channel_id = $4)
          AND ($5::text IS NULL OR d.approval_id = $5)
        ORDER BY d.position DESC LIMIT $6`,
      [
        request.org_id,
        before,
        request.status ?? null,
        request.channel_id ?? null,
        request.approval_id ?? null,
        request.limit + 1,
      ],
    );
    const { items, next_cursor } = page(rows, request.limit, (row) => row.position);
    return { deliveries: items.map(toView), next_cursor };
  }

  /** @throws Refused NOT_FOUND */
  async get(orgId: string, deliveryId: string): Promise<DeliveryView> {
    const { rows } = await this.pool.query<DeliveryRow>(
      `${select} WHERE d.org_id = $1 AND d.delivery_id = $2`,
      [orgId, deliveryId],
    );
    if (rows[0] === undefined) throw new Refused('NOT_FOUND', 'there is no such delivery in this workspace');
    return toView(rows[0]);
  }
}

const toView = (row: DeliveryRow): DeliveryView => ({
  id: row.delivery_id,
  channel_id: row.channel_id,
  type: row.type,
  recipient: row.channel_id === null ? row.target : null,
  event_id: row.event_id,
  event_type: row.event_type,
  approval_id: row.approval_id,
  status: row.status,
  created_at: row.created_at.toISOString(),
  next_attempt_at: row.status === 'pending' ? (row.due_at?.toISOString() ?? null) : null,
  delivered_at: row.delivered_at?.toISOString() ?? null,
  error: row.error,
  attempts_made: row.attempts,
  attempts: row.made.map(({ at, ...made }) => ({ ...made, at: new Date(at).toISOString() })),
  mail: row.mail === null ? null : (JSON.parse(row.mail) as Mail),
});
