import type { Queryable, StoredEvent } from '@agentlattice/event-store';
import type { ApprovalKey } from './approval-reader.js';

/** The parts of a stored event that are needed to replay a request. */
export type HistoryEvent = Pick<StoredEvent, 'org_id' | 'stream_id' | 'type' | 'schema_version' | 'data'>;

/** The events of these requests, in order for each request. */
export async function loadHistories(db: Queryable, which: readonly ApprovalKey[]): Promise<HistoryEvent[][]> {
  const { rows } = await db.query<HistoryEvent>(
    `SELECT e.org_id, e.stream_id, e.type, e.schema_version, e.data
       FROM event e JOIN unnest($1::text[], $2::text[]) AS k (org_id, stream_id) USING (org_id, stream_id)
      ORDER BY e.org_id, e.stream_id, e.version`,
    [which.map(({ org_id }) => org_id), which.map(({ approval_id }) => approval_id)],
  );
  return [...Map.groupBy(rows, (row) => `${row.org_id}/${row.stream_id}`).values()];
}
