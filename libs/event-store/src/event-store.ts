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

/** One stream of several; whoever calls may hang more on it for its command. */
export interface StreamRef {
  readonly orgId: string;
  readonly streamId: string;
  readonly meta: EventMeta;
}

export interface UpdateMany<
  State,
  Cmd,
  Event extends DecidedEvent,
  Ref extends StreamRef = StreamRef,
> extends Pick<Update<State, Cmd, Event>, 'decider'> {
  readonly streams: readonly Ref[];
  /** Nothing it decides may be refused: a refusal of one stream gives up all. */
  readonly command: (now: Date, stream: Ref) => Cmd;
  readonly project?: (tx: Tx, events: readonly StoredEvent[]) => Promise<void>;
}

export interface Updated<State> {
  readonly state: State;
  /** What was appended; empty when there was nothing to do. */
  readonly events: readonly StoredEvent[];
  readonly version: number;
}

export interface UpdatedMany<State> {
  readonly states: State[];
  readonly events: readonly StoredEvent[];
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
  update<State, Cmd, Event extends DecidedEvent>(update: Update<State, Cmd, Event>): Promise<Updated<State>> {
    return this.untilNoConflict((tx) => updateOnce(tx, update));
  }

  /**
   * The same for several streams in one commit.
   * @returns a state for each stream, in the order given, and what was appended
   */
  updateMany<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef>(
    update: UpdateMany<State, Cmd, Event, Ref>,
  ): Promise<UpdatedMany<State>> {
    return this.untilNoConflict((tx) => updateManyOnce(tx, update));
  }

  /**
   * The same in the caller's transaction.
   * @throws VersionConflict when somebody appended without the streams' locks: the transaction must be given up
   */
  updateManyIn<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef>(
    tx: Tx,
    update: UpdateMany<State, Cmd, Event, Ref>,
  ): Promise<UpdatedMany<State>> {
    return updateManyOnce(tx, update);
  }

  private async untilNoConflict<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await inTransaction(this.pool, work);
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
  const now = await lockStreams(tx, [keyOf(orgId, streamId)]);
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

async function updateManyOnce<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef>(
  tx: Tx,
  { decider, streams, command, project }: UpdateMany<State, Cmd, Event, Ref>,
): Promise<UpdatedMany<State>> {
  const now = await lockStreams(
    tx,
    streams.map(({ orgId, streamId }) => keyOf(orgId, streamId)),
  );
  const { rows } = await tx.query<StoredEvent>(
    `SELECT ${storedColumns}
       FROM event e JOIN unnest($1::text[], $2::text[]) AS k (org_id, stream_id) USING (org_id, stream_id)
      ORDER BY e.org_id, e.stream_id, e.version`,
    [streams.map((stream) => stream.orgId), streams.map((stream) => stream.streamId)],
  );
  const histories = Map.groupBy(rows, (row) => keyOf(row.org_id, row.stream_id));
  const fresh: NewEvent[] = [];
  const states = streams.map((stream) => {
    const { orgId: org_id, streamId: stream_id, meta } = stream;
    const history = histories.get(keyOf(org_id, stream_id)) ?? [];
    const before = fold(decider, history as unknown as readonly Event[]);
    const decided = decider.decide(command(now, stream), before);
    for (const [i, { type, data }] of decided.entries())
      fresh.push({ org_id, stream_id, version: history.length + i + 1, type, data, meta, occurred_at: now });
    return fold(decider, decided, before);
  });
  const events = await appendEvents(tx, fresh);
  if (events.length > 0) await project?.(tx, events);
  return { states, events };
}

const keyOf = (orgId: string, streamId: string) => `${orgId}/${streamId}`;

/**
 * Waits for other writers of the streams, then reads the clock: nobody decides between the reading and our commit. The
 * locks are taken in one order by everybody.
 */
async function lockStreams(tx: Tx, keys: readonly string[]): Promise<Date> {
  const { rows } = await tx.query<{ now: Date }>(
    `WITH ordered AS MATERIALIZED (
       SELECT DISTINCT hashtextextended(key, 7154) AS hash FROM unnest($1::text[]) AS key ORDER BY hash),
     locked AS MATERIALIZED (SELECT count(pg_advisory_xact_lock(hash)::text) FROM ordered)
     SELECT date_trunc('milliseconds', clock_timestamp()) AS now FROM locked`,
    [keys],
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
