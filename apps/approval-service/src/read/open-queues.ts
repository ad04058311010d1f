import type pg from 'pg';
import type { KnownApproval } from '../domain/approval.js';
import { epochMs, keyOf } from './approval-reader.js';
import type { AtVersion, OpenStates } from './open-states.js';

/** An open request as its queue lists it. Times are epoch milliseconds. */
export interface OpenRequest extends AtVersion {
  readonly status: string;
  readonly action_type: string;
  readonly agent_id: string;
  readonly policy_id: string;
  readonly deadline: number;
  readonly created: number;
}

export interface QueueEntry {
  readonly request: OpenRequest;
  /** Null where its history cannot be read. */
  readonly state: KnownApproval | null;
}

interface Entry {
  readonly request: OpenRequest;
  /** Undefined until it was needed. */
  state: KnownApproval | null | undefined;
}
const isRead = (entry: Entry): entry is QueueEntry => entry.state !== undefined;

interface Kept {
  /** The last event of the workspace that is in it. */
  readonly seq: number;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly ordered: readonly Entry[];
}

/** One row for each request that changed, or one without request. */
interface ChangeRow extends Omit<OpenRequest, 'approval_id' | 'version'> {
  /** bigint: pg gives text. */
  readonly seq: string;
  readonly open: number;
  readonly approval_id: string | null;
  /** Null: not open any more. */
  readonly version: number | null;
}

const mostKept = 8_000;
/** After more events the whole queue is read. */
const mostEvents = 2_000;

const requestColumns = `a.version, a.status, a.action_type, a.agent_id, a.policy_id,
    ${epochMs('o.deadline_at')} AS deadline, ${epochMs('a.created_at')} AS created`;
const head = `(SELECT coalesce(max(source_seq), 0) FROM event_position WHERE org_id = $1) AS seq,
    (SELECT count(*)::int FROM open_request WHERE org_id = $1) AS open`;

const readAll = `SELECT h.*, o.approval_id, ${requestColumns} FROM (SELECT ${head}) AS h
    LEFT JOIN (open_request o JOIN approval a USING (org_id, approval_id)) ON o.org_id = $1`;
const readChanges = `SELECT h.*, c.approval_id, ${requestColumns} FROM (SELECT ${head}) AS h
    LEFT JOIN (SELECT DISTINCT e.stream_id AS approval_id FROM event_position p JOIN event e USING (event_id)
                WHERE p.org_id = $1 AND p.source_seq > $2 AND p.source_seq <= $2 + ${String(mostEvents)}) AS c ON true
    LEFT JOIN (open_request o JOIN approval a USING (org_id, approval_id))
      ON o.org_id = $1 AND o.approval_id = c.approval_id`;

/**
 * The open requests of workspaces. A queue of thousands is read at every live event, so it is kept in memory and each
 * reading fetches what changed since: the events of a workspace are numbered in the order of their commits, and what opens or
 * ends a request is committed with its event. If the number of open requests differs nevertheless, for example because the database
 * was restored, the whole queue is read.
 */
export class OpenQueues {
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly pool: pg.Pool,
    private readonly states: Pick<OpenStates, 'of'>,
  ) {}

  /** In the order of their deadlines. */
  async of(orgId: string): Promise<readonly QueueEntry[]> {
    const { ordered } = await this.current(orgId);
    if (ordered.every(isRead)) return ordered;
    const missing = ordered.filter((entry) => !isRead(entry));
    const states = await this.states.of(missing.map(({ request }) => request));
    for (const entry of missing) entry.state = states.get(keyOf(entry.request)) ?? null;
    return ordered.filter(isRead);
  }

  private async current(orgId: string): Promise<Kept> {
    const known = this.kept.get(orgId);
    if (known === undefined) return this.readWhole(orgId);
    const { rows } = await this.pool.query<ChangeRow>(readChanges, [orgId, known.seq]);
    const { seq, open } = headOf(rows);
    // Another reading may have seen later events meanwhile.
    const before = this.kept.get(orgId) ?? known;
    if (seq < before.seq && before !== known) return before;
    if (seq < known.seq || seq - known.seq > mostEvents) return this.readWhole(orgId);
    const after = seq === before.seq ? before : { ...changed(before, rows, orgId), seq };
    if (after.entries.size !== open) return this.readWhole(orgId);
    this.keep(orgId, after);
    return after;
  }

  private async readWhole(orgId: string): Promise<Kept> {
    const known = this.kept.get(orgId);
    const { rows } = await this.pool.query<ChangeRow>(readAll, [orgId]);
    const read = { ...changed(nothing, rows, orgId), seq: headOf(rows).seq };
    const now = this.kept.get(orgId);
    if (now !== undefined && now !== known && now.seq > read.seq) return now;
    this.keep(orgId, read);
    return read;
  }

  /** Forgets the queues that were not read for the longest time. */
  private keep(orgId: string, queue: Kept): void {
    this.kept.delete(orgId);
    this.kept.set(orgId, queue);
    let size = [...this.kept.values()].reduce((sum, { entries }) => sum + entries.size, 0);
    for (const [oldest, { entries }] of this.kept) {
      if (size <= mostKept) break;
      this.kept.delete(oldest);
      size -= entries.size;
    }
  }
}

const nothing: Kept = { seq: 0, entries: new Map(), ordered: [] };

function headOf([row]: readonly ChangeRow[]) {
  if (row === undefined) throw new Error('a query of one row has none');
  return { seq: Number(row.seq), open: row.open };
}

function changed({ entries: before }: Kept, rows: readonly ChangeRow[], orgId: string): Omit<Kept, 'seq'> {
  const entries = new Map(before);
  for (const { seq: _, open: __, approval_id, version, ...row } of rows) {
    if (approval_id === null) continue;
    if (version === null) entries.delete(approval_id);
    else
      entries.set(approval_id, {
        request: { ...row, org_id: orgId, approval_id, version },
        state: undefined,
      });
  }
  return { entries, ordered: [...entries.values()].sort(byDeadline) };
}

const byDeadline = ({ request: a }: Entry, { request: b }: Entry) =>
  a.deadline - b.deadline || (a.approval_id < b.approval_id ? -1 : 1);
