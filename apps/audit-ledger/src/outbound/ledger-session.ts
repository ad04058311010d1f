import { commitsWaitForDisk, type DurabilitySettings } from '@agentlattice/contracts';
import {
  connectionLimits,
  DatabaseClient,
  DatabaseUnavailable,
  keepaliveStatement,
} from '@agentlattice/event-store';
import { type ChainHead, decodeRange, entrySources } from '@agentlattice/ledger';
import { EventEmitter, once } from 'node:events';
import pg from 'pg';
import { z } from 'zod';
import { type CommitStore, WriterLost } from '../domain/commit-store.js';
import type { SubmissionDraft, WrittenSubmission } from '../domain/draft.js';
import type { LogEnd, LogHeads, Staged } from '../domain/log-heads.js';
import { submissionColumns, type SubmissionRow, writtenSubmission } from '../read/submission-row.js';
import { commitFault, commitParameters, commitStatement } from './commit-statement.js';
import {
  endHungWriter,
  hangsAfterMs,
  heldLocks,
  shard,
  signOfLifeMs,
  stoppingLock,
  takingLock,
  writerLock,
} from './writer-locks.js';

/** Where both tell that they hold their lock, so that nobody has to wait for the next look. */
const handOverChannel = 'audit_ledger_hand_over';

const applicationName = (instance: string) => `audit-ledger-writer-${instance}`;

/** The database would confirm commits before they are on disk, so the ledger must not use it. */
export class UnsafeDatabase extends Error {
  override readonly name = 'UnsafeDatabase';
}

export interface SessionOptions {
  readonly databaseUrl: string;
  readonly instance: string;
  /** Another writer that was silent for longer loses its session; default 10 s. */
  readonly hangsAfterMs?: number;
}

/**
 * The writer's one connection. It holds the advisory lock, so the lock and the ability to write are lost together. The epoch fences it if it
 * reconnects.
 */
export class LedgerSession implements CommitStore {
  /** Resolves when the connection is lost. */
  readonly lost: Promise<Error>;
  private epoch = '';
  private isTaking = false;
  private signsOfLife: NodeJS.Timeout | undefined;
  private readonly notices = new EventEmitter();
  private constructor(
    private readonly client: pg.Client,
    private readonly instance: string,
    private readonly hangsAfterMs: number,
    lost: Promise<Error>,
  ) {
    this.lost = lost;
    client.on('notification', ({ payload = '' }) => {
      const [word = '', from] = payload.split(' ');
      if (from !== instance) this.notices.emit(word);
    });
  }

  /** @throws UnsafeDatabase when commits would not wait for the disk */
  static async connect({ databaseUrl, instance, ...options }: SessionOptions): Promise<LedgerSession> {
    const client = new DatabaseClient({
      connectionString: databaseUrl,
      application_name: applicationName(instance),
      connectionTimeoutMillis: 3_000,
      ...connectionLimits,
    });
    const lost = new Promise<Error>((resolve) => {
      client.on('error', resolve);
      client.on('end', () => resolve(new WriterLost('the connection to the database ended')));
    });
    try {
      await client.connect();
      const { rows } = await client.query<DurabilitySettings>(
        `SELECT current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync`,
      );
      const [settings] = rows;
      if (settings === undefined || !commitsWaitForDisk(settings))
        throw new UnsafeDatabase('the audit log needs synchronous_commit = on and fsync = on');
      // The lock must be released soon after this process dies.
      await client.query(keepaliveStatement);
      const session = new LedgerSession(client, instance, options.hangsAfterMs ?? hangsAfterMs, lost);
      await client.query(`LISTEN ${handOverChannel}`);
      return session;
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  }

  /**
   * Becomes the writer, unless another is, or takes the commands of one that stops. From then on an earlier writer's commits
   * fail. A writer that hangs, or one that takes over and hangs, loses its session, and the next call gets its lock.
   */
  async acquire(): Promise<boolean> {
    const { rows } = await this.query<{ got: boolean }>(
      `SELECT CASE WHEN EXISTS (${heldLocks} AND pid <> pg_backend_pid())
                   THEN false ELSE pg_try_advisory_lock($3::int, $2::int) END AS got`,
      [takingLock, shard, writerLock],
    );
    if (rows[0]?.got !== true) {
      await this.query(endHungWriter, [[writerLock, takingLock], shard, this.hangsAfterMs]);
      return false;
    }
    this.signsOfLife ??= setInterval(() => void this.query('SELECT').catch(() => {}), signOfLifeMs).unref();
    const raised = await this.query<{ epoch: string }>(
      'UPDATE writer SET epoch = epoch + 1 WHERE shard = $1 RETURNING epoch',
      [shard],
    );
    const [row] = raised.rows;
    if (row === undefined) throw new Error('the table of writers is empty');
    this.epoch = row.epoch;
    return true;
  }

  /** Looks again when the time is over or the writer says that it stops. @returns whether it is stopping */
  async writerStops(withinMs: number, signal: AbortSignal): Promise<boolean> {
    await this.noticed('stopping', withinMs, signal);
    return this.isWriterStopping();
  }

  /**
   * Only one instance takes the commands of a writer that stops; the others go on standing by. It keeps this right while it writes, so that
   * an instance that looked a moment too late does not get it.
   */
  async mayTakeOver(): Promise<boolean> {
    const { rows } = await this.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS got', [
      takingLock,
      shard,
    ]);
    this.isTaking = rows[0]?.got === true;
    if (this.isTaking && (await this.isWriterStopping())) return true;
    await this.endTakeOver();
    return false;
  }

  /** Tells the writer that stops that its commands are taken here. */
  async tellTaking(): Promise<void> {
    await this.tell('taking');
  }

  /** Also where this instance took nothing over. */
  async endTakeOver(): Promise<void> {
    if (!this.isTaking) return;
    this.isTaking = false;
    await this.query('SELECT pg_advisory_unlock($1, $2)', [takingLock, shard]);
  }

  /** Lets an instance that stands by take the commands, and resolves when one does, or none is there or none has within the time. */
  async handOver(withinMs: number): Promise<void> {
    const others = await this.query(
      `SELECT FROM pg_stat_activity
        WHERE application_name LIKE '${applicationName('%')}' AND datname = current_database() AND pid <> pg_backend_pid()`,
    );
    if (others.rows.length === 0) return;
    const taken = this.noticed('taking', withinMs);
    await this.query('SELECT pg_advisory_lock($1, $2)', [stoppingLock, shard]);
    await this.endTakeOver();
    await this.tell('stopping');
    await taken;
  }

  async now(): Promise<number> {
    const { rows } = await this.query<{ now: string }>(
      'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now',
    );
    return Number(rows[0]?.now);
  }

  async load(): Promise<LogHeads> {
    const writer = await this.query<{ epoch: string; gpos: string; time_ms: string }>(
      'SELECT epoch, gpos, time_ms FROM writer WHERE shard = $1',
      [shard],
    );
    const [row] = writer.rows;
    if (row?.epoch !== this.epoch) throw new WriterLost('another writer has taken over');
    const logs = await this.query<LogRow>(
      'SELECT org_id, origin, size, last_hash, frontier, positions FROM log',
    );
    const sources = await this.query<{ source: string; gpos: string }>(
      'SELECT source, gpos FROM source_position',
    );
    return {
      logs: new Map(logs.rows.map((log) => [log.org_id, logEnd(log)])),
      gpos: Number(row.gpos),
      timeMs: Number(row.time_ms),
      sources: new Map(sources.rows.map(({ source, gpos }) => [entrySource.parse(source), Number(gpos)])),
    };
  }

  async commit(before: LogHeads, staged: Staged): Promise<number> {
    const values = commitParameters(this.epoch, before, staged);
    const outcome = await this.query<{ ok: boolean; now: string }>({
      name: 'commit',
      text: commitStatement,
      values,
    }).catch((error: unknown) => {
      throw commitFault(error);
    });
    const [row] = outcome.rows;
    if (row?.ok !== true) throw new WriterLost('another writer has taken over');
    return Number(row.now);
  }

  async findByEventKey(drafts: readonly SubmissionDraft[]): Promise<Map<SubmissionDraft, WrittenSubmission>> {
    const keyed = drafts.filter((draft) => draft.eventKey !== null);
    const { rows } = await this.query<SubmissionRow & { place: string }>(
      `SELECT k.place, ${submissionColumns}
         FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (org_id, agent_id, event_key, place)
         JOIN submission s USING (org_id, agent_id, event_key)
         JOIN entry e ON e.id = s.entry_id LEFT JOIN private_value p ON p.entry_id = s.entry_id`,
      [
        keyed.map(({ facts }) => facts.org_id),
        keyed.map(({ facts }) => facts.agent?.id ?? ''),
        keyed.map(({ eventKey }) => eventKey),
      ],
    );
    const found = new Map<SubmissionDraft, WrittenSubmission>();
    for (const row of rows) {
      const draft = keyed[Number(row.place) - 1];
      if (draft !== undefined) found.set(draft, writtenSubmission(row));
    }
    return found;
  }

  async close(): Promise<void> {
    clearInterval(this.signsOfLife);
    await this.client.end().catch(() => {});
  }

  private async isWriterStopping(): Promise<boolean> {
    const { rows } = await this.query(heldLocks, [stoppingLock, shard]);
    return rows.length > 0;
  }

  private async tell(word: string): Promise<void> {
    await this.query('SELECT pg_notify($1, $2)', [handOverChannel, `${word} ${this.instance}`]);
  }

  /** Resolves when the word is said, the time is over or `stopped` is aborted. */
  private async noticed(word: string, withinMs: number, stopped?: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([
      AbortSignal.timeout(withinMs),
      ...(stopped === undefined ? [] : [stopped]),
    ]);
    await once(this.notices, word, { signal }).catch(() => {});
  }

  /**
   * A connection that does not answer is closed. Its last statement may still take effect until PostgreSQL notices: until
   * then its session holds the lock, and a statement after another writer took over finds neither its epoch nor its position.
   */
  private async query<Row extends pg.QueryResultRow>(
    query: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>> {
    try {
      return await this.client.query<Row>(query, values);
    } catch (error) {
      if (error instanceof DatabaseUnavailable) void this.close();
      throw error;
    }
  }
}

interface LogRow {
  readonly org_id: string;
  readonly origin: string;
  readonly size: string;
  readonly last_hash: string;
  readonly frontier: Buffer;
  readonly positions: string;
}

const entrySource = z.enum(entrySources);
const positionsBySource = z.partialRecord(entrySource, z.number().int().min(0));

function logEnd({ origin, size, last_hash, frontier, positions }: LogRow): LogEnd {
  const head: ChainHead = { log: origin, size: Number(size), lastHash: last_hash };
  const known = positionsBySource.safeParse(JSON.parse(positions));
  if (!known.success)
    throw new Error(`the positions of the log ${origin} have another form`, { cause: known.error });
  return { head, tree: decodeRange(head.size, frontier), positions: known.data };
}
