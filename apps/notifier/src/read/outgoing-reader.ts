import type {
  CommandRequest,
  CommandResponse,
  notifierCommands,
  OutgoingEvent,
} from '@agentlattice/contracts';
import { page, readCursor } from '@agentlattice/service';
import type pg from 'pg';

type ListOutgoing = (typeof notifierCommands)['list_outgoing'];

interface OutgoingRow {
  readonly position: string;
  readonly event_id: string;
  readonly source: string;
  readonly type: OutgoingEvent['type'];
  readonly subject: string;
  readonly occurred_at: Date;
  readonly data: string;
}

export class OutgoingReader {
  constructor(private readonly pool: pg.Pool) {}

  /** A workspace's outgoing events, oldest first. */
  async list({
    org_id,
    cursor,
    limit,
  }: CommandRequest<ListOutgoing>): Promise<CommandResponse<ListOutgoing>> {
    const after = readCursor(cursor, /^\d{1,18}$/) ?? '0';
    const { rows } = await this.pool.query<OutgoingRow>(
      `SELECT position, event_id, source, type, subject, occurred_at, data FROM outgoing_event
        WHERE org_id = $1 AND position > $2 ORDER BY position LIMIT $3`,
      [org_id, after, limit + 1],
    );
    const { items, next_cursor } = page(rows, limit, (row) => row.position);
    return { events: items.map(toEvent), next_cursor };
  }
}

const toEvent = (row: OutgoingRow): OutgoingEvent => ({
  specversion: '1.0',
  id: row.event_id,
  source: row.source,
  type: row.type,
  subject: row.subject,
  time: row.occurred_at.toISOString(),
  datacontenttype: 'application/json',
  data: JSON.parse(row.data) as OutgoingEvent['data'],
});
