import { type Decider, fold } from '@agentlattice/decider';
import type pg from 'pg';
import { appendEvents, VersionConflict } from './append-events.js';
import {
  type DecidedEvent,
  type EventMeta,
  type NewEvent,
  storedColumns,
  type StoredEvent,
} from './stored-event.js';
import { inTransaction, type Tx } from './transaction.js';

export interface Update<State, Cmd, Event extends DecidedEvent> {
  readonly decider: Decider<State, Cmd, Event>;
  readonly orgId: string;
  readonly streamId: string;
  /** Or a function of the database's time, which is read while nobody else can change the stream. */
  readonly command: Cmd | ((now: Date) => Cmd);
  readonly meta: EventMeta;
  /** Writes read models in the same transaction; called only when something was decided. */
  readonly project?: (tx: Tx, events: readonly StoredEvent[], state: State) => Promise<void>;
}

export interface Updated<State> {
  readonly state: State;
  /** What was appended; empty when there was nothing to do. */
  readonly events: readonly StoredEvent[];
  readonly version: number;
}

const attempts = 5;

/** Streams of events in the service's own schema; a state is the fold of its stream. */
export class EventStore {
  constructor(private readonly pool: pg.Pool) {}

  /** A stream's events, oldest first; empty when there is none. */
  load(orgId: string, streamId: string): Promise<StoredEvent[]> {
    return loadStream(this.pool, orgId, streamId);
  }

  /** @throws VersionConflict when one of the versions is taken */
  append(tx: Tx, events: readonly NewEvent[]): Promise<StoredEvent[]> {
    return appendEvents(tx, events);
  }

  /**
   * Reads, folds, decides, appends and projects in one transaction. What it returns is on disk. A conflict with another
   * writer is decided by the unique version: the loser reads again and judges anew.
   * @throws Refused as the decider says
   */
  async update<State, Cmd, Event extends DecidedEvent>(
    update: Update<State, Cmd, Event>,
  ): Promise<Updated<State>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await inTransaction(this.pool, (tx) => updateOnce(tx, update));
      } catch (error) {
        if (!(error instanceof VersionConflict) || attempt === attempts) throw error;
      }
    }
  }
}

async function updateOnce<State, Cmd, Event extends DecidedEvent>(
  tx: Tx,
  { decider, orgId, streamId, command, meta, project }: Update<State, Cmd, Event>,
): Promise<Updated<State>> {
  const now = await lockStream(tx, orgId, streamId);
  const history = await loadStream(tx, orgId, streamId);
  const before = fold(decider, history as unknown as readonly Event[]);
  if (meta.command_id !== undefined && history.some((event) => event.meta.command_id === meta.command_id))
    return { state: before, events: [], version: history.length };
  const decided = decider.decide(
    typeof command === 'function' ? (command as (now: Date) => Cmd)(now) : command,
    before,
  );
  if (decided.length === 0) return { state: before, events: [], version: history.length };
  const events = await appendEvents(
    tx,
    decided.map(({ type, data }, i) => ({
      org_id: orgId,
      stream_id: streamId,
      version: history.length + i + 1,
      type,
      data,
      meta,
      occurred_at: now,
    })),
  );
  const state = fold(decider, decided, before);
  await project?.(tx, events, state);
  return { state, events, version: history.length + events.length };
}

/** Waits for other writers of the stream, then reads the clock: nobody decides between the reading and our commit. */
async function lockStream(tx: Tx, orgId: string, streamId: string): Promise<Date> {
  const { rows } = await tx.query<{ now: Date }>(
    `WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended($1, 7154)))
     SELECT date_trunc('milliseconds', clock_timestamp()) AS now FROM locked`,
    [`${orgId}/${streamId}`],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the database gave no time');
  return row.now;
}

async function loadStream(tx: Tx | pg.Pool, orgId: string, streamId: string): Promise<StoredEvent[]> {
  const { rows } = await tx.query<StoredEvent>(
    `SELECT ${storedColumns} FROM event e WHERE org_id = $1 AND stream_id = $2 ORDER BY version`,
    [orgId, streamId],
  );
  return rows;
}
