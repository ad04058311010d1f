import type {
  CommandRequest,
  CommandResponse,
  replay as replayCommand,
  ServiceName,
} from '@agentlattice/contracts';
import type pg from 'pg';
import { type Numbers, readWireEvent, storedColumns, type WholeEventRow } from './stored-event.js';

type ReplayCommand = ReturnType<typeof replayCommand>;

/** NATS takes 1 MiB; the envelope and headers need little. */
const pageBytes = 512 * 1024;

/** Answers `cmd.<service>.replay`: numbered events from the service's own tables. */
export async function replay(
  pool: pg.Pool,
  service: ServiceName,
  { after_gpos, limit, org_id, types, containing }: CommandRequest<ReplayCommand>,
): Promise<CommandResponse<ReplayCommand>> {
  // Read first: events that are numbered meanwhile belong to the next page.
  const head = await pool.query<{ gpos: string }>(
    'SELECT coalesce(max(gpos), 0) AS gpos FROM event_position',
  );
  const head_gpos = Number(head.rows[0]?.gpos ?? 0);
  if (after_gpos >= head_gpos) return { events: [], head_gpos, through_gpos: head_gpos };
  const { rows } = await pool.query<WholeEventRow & Numbers>(
    `SELECT ${storedColumns}, p.gpos, p.source_seq
       FROM event_position p JOIN event e USING (event_id)
      WHERE p.gpos > $1 AND p.gpos <= $2 AND ($3::text IS NULL OR p.org_id = $3)
        AND ($4::text[] IS NULL OR e.type = ANY ($4)) AND ($5::jsonb IS NULL OR e.data @> $5)
      ORDER BY p.gpos LIMIT $6`,
    [
      after_gpos,
      head_gpos,
      org_id ?? null,
      types ?? null,
      containing === undefined ? null : JSON.stringify(containing),
      limit,
    ],
  );
  const events = [];
  let bytes = 0;
  for (const row of rows) {
    const event = readWireEvent(service, row);
    bytes += JSON.stringify(event).length * 1.1;
    if (events.length > 0 && bytes > pageBytes) break;
    events.push(event);
  }
  const complete = events.length === rows.length && rows.length < limit;
  return { events, head_gpos, through_gpos: complete ? head_gpos : (events.at(-1)?.gpos ?? head_gpos) };
}
