import type {
  CommandRequest,
  CommandResponse,
  replay as replayCommand,
  ReportResult,
  WireEvent,
} from '@agentlattice/contracts';
import { parseEntry } from '@agentlattice/ledger';
import type pg from 'pg';
import { parseRecorded } from '../domain/recorded.js';
import { wireEventOf } from '../domain/wire-event-of.js';

type ReplayCommand = ReturnType<typeof replayCommand>;

interface Filter {
  readonly after: number;
  readonly upTo?: number | undefined;
  readonly limit: number;
  readonly orgId?: string | undefined;
  readonly types?: readonly string[] | undefined;
}

/** The ledger's own events after a position, in order: they are entries of its logs. */
export async function ownEvents(
  pool: pg.Pool,
  { after, upTo, limit, orgId, types }: Filter,
): Promise<WireEvent[]> {
  const { rows } = await pool.query<{
    gpos: string;
    bytes: Buffer;
    action_digest: string | null;
    event_key: string | null;
    record: string | null;
    action_id: string | null;
    status: ReportResult['status'] | null;
  }>(
    `SELECT e.gpos, e.bytes, s.action_digest, s.event_key, s.record, r.action_id, r.status
       FROM entry e LEFT JOIN submission s ON s.entry_id = e.id LEFT JOIN report r ON r.entry_id = e.id
      WHERE e.gpos > $1 AND ($2::bigint IS NULL OR e.gpos <= $2) AND ($3::text IS NULL OR e.org_id = $3)
        AND ($4::text[] IS NULL OR e.type = ANY ($4))
      ORDER BY e.gpos LIMIT $5`,
    [after, upTo ?? null, orgId ?? null, types ?? null, limit],
  );
  return rows.map(({ gpos, bytes, action_digest, event_key, record, action_id, status }) =>
    wireEventOf(parseEntry(bytes), Number(gpos), {
      submission:
        action_digest === null || record === null
          ? null
          : { actionDigest: action_digest, eventKey: event_key, recorded: parseRecorded(record) },
      report: action_id === null || status === null ? null : { actionId: action_id, status },
    }),
  );
}

/** NATS takes 1 MiB; the envelope and headers need little. */
const pageBytes = 512 * 1024;

/** Answers `cmd.audit-ledger.replay`. */
export async function replayOwn(
  pool: pg.Pool,
  { after_gpos, limit, org_id, types, containing = {} }: CommandRequest<ReplayCommand>,
): Promise<CommandResponse<ReplayCommand>> {
  // Read first: entries that are written meanwhile belong to the next page.
  const head = await pool.query<{ gpos: string }>('SELECT gpos FROM writer WHERE shard = 0');
  const head_gpos = Number(head.rows[0]?.gpos ?? 0);
  if (after_gpos >= head_gpos) return { events: [], head_gpos, through_gpos: head_gpos };
  const found = await ownEvents(pool, { after: after_gpos, upTo: head_gpos, limit, orgId: org_id, types });
  const events: WireEvent[] = [];
  let bytes = 0;
  for (const event of found) {
    bytes += Buffer.byteLength(JSON.stringify(event));
    if (events.length > 0 && bytes > pageBytes) break;
    events.push(event);
  }
  const complete = events.length === found.length && found.length < limit;
  const wanted = Object.entries(containing);
  return {
    events: events.filter(({ data }) => wanted.every(([name, value]) => data[name] === value)),
    head_gpos,
    through_gpos: complete ? head_gpos : (events.at(-1)?.gpos ?? head_gpos),
  };
}
