import { type CompactRange, decodeRange, encodeRange } from '@agentlattice/ledger';
import type pg from 'pg';

export interface DurableLog {
  readonly orgId: string;
  readonly origin: string;
}

/** The durable end of a log, read from the tables: only this may be signed. */
export interface DurableEnd extends DurableLog {
  readonly tree: CompactRange;
}

export interface StoredCheckpoint {
  readonly size: number;
  readonly note: string;
}

/** Checkpoints, heads and leaf hashes in the tables. */
export class CheckpointStore {
  constructor(private readonly pool: pg.Pool) {}

  /** Logs whose newest checkpoint does not cover all of their entries; all logs when asked for one by name. */
  async grown(orgId?: string): Promise<DurableEnd[]> {
    const { rows } = await this.pool.query<EndRow>(
      `SELECT l.org_id, l.origin, l.size, l.frontier FROM log l
        WHERE ($1::text IS NULL OR l.org_id = $1)
          AND NOT EXISTS (SELECT FROM checkpoint c WHERE c.org_id = l.org_id AND c.size = l.size)`,
      [orgId ?? null],
    );
    return rows.map(endOf);
  }

  async end(orgId: string): Promise<DurableEnd | null> {
    const { rows } = await this.pool.query<EndRow>(
      'SELECT org_id, origin, size, frontier FROM log WHERE org_id = $1',
      [orgId],
    );
    return rows[0] === undefined ? null : endOf(rows[0]);
  }

  async add(end: DurableEnd, note: string): Promise<void> {
    await this.pool.query(
      'INSERT INTO checkpoint (org_id, size, frontier, note) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [end.orgId, end.tree.size, encodeRange(end.tree), note],
    );
  }

  /** The newest checkpoint of each log after which no `ledger.key_rotated` was written. */
  async newestOfAll(): Promise<(DurableLog & { readonly note: string })[]> {
    const { rows } = await this.pool.query<{ org_id: string; origin: string; note: string }>(
      `SELECT l.org_id, l.origin, c.note FROM log l
        CROSS JOIN LATERAL (
          SELECT size, note FROM checkpoint WHERE org_id = l.org_id ORDER BY size DESC LIMIT 1) c
        WHERE NOT EXISTS (
          SELECT FROM entry e WHERE e.org_id = l.org_id AND e.seq >= c.size AND e.type = 'ledger.key_rotated')`,
    );
    return rows.map(({ org_id, origin, note }) => ({ orgId: org_id, origin, note }));
  }

  /** Whether an entry from `from` on says that the log was restored. */
  async saysRestored(orgId: string, from: number): Promise<boolean> {
    const { rows } = await this.pool.query(
      `SELECT FROM entry WHERE org_id = $1 AND seq >= $2 AND type = 'ledger.restored' LIMIT 1`,
      [orgId, from],
    );
    return rows.length > 0;
  }

  /** Newest first. */
  async newest(orgId: string, limit: number): Promise<StoredCheckpoint[]> {
    const { rows } = await this.pool.query<{ size: string; note: string }>(
      'SELECT size, note FROM checkpoint WHERE org_id = $1 ORDER BY size DESC LIMIT $2',
      [orgId, limit],
    );
    return rows.map(({ size, note }) => ({ size: Number(size), note }));
  }

  /** The stored tree at the largest checkpoint of at most `size` entries. */
  async treeAtMost(orgId: string, size: number): Promise<CompactRange | null> {
    const { rows } = await this.pool.query<{ size: string; frontier: Buffer }>(
      'SELECT size, frontier FROM checkpoint WHERE org_id = $1 AND size <= $2 ORDER BY size DESC LIMIT 1',
      [orgId, size],
    );
    const [row] = rows;
    return row === undefined ? null : decodeRange(Number(row.size), row.frontier);
  }

  /** Bytes of the entries from `from` on, in order. */
  async entryBytes(orgId: string, from: number, limit: number): Promise<Buffer[]> {
    const { rows } = await this.pool.query<{ bytes: Buffer }>(
      'SELECT bytes FROM entry WHERE org_id = $1 AND seq >= $2 ORDER BY seq LIMIT $3',
      [orgId, from, limit],
    );
    return rows.map(({ bytes }) => bytes);
  }
}

interface EndRow {
  readonly org_id: string;
  readonly origin: string;
  readonly size: string;
  readonly frontier: Buffer;
}

const endOf = ({ org_id, origin, size, frontier }: EndRow): DurableEnd => ({
  orgId: org_id,
  origin,
  tree: decodeRange(Number(size), frontier),
});
