import { type Decider, fold, Refused } from '@agentlattice/decider';
import type pg from 'pg';
import { appendEvents, appending, conflictOr, identified, VersionConflict } from './append-events.js';
import {
  type DecidedEvent,
  type Erasable,
  type EventMeta,
  type NewEvent,
  storedColumns,
  type StoredEvent,
} from './stored-event.js';
import { Ending, inTransaction, type Statement, type Tx } from './transaction.js';

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
  /** What is said with an event and may have to be erased. */
  readonly erasable?: (event: Event, stream: Ref) => Erasable;
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

/** Commands that share a commit and nothing else. */
export interface DecideEach<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef = StreamRef> {
  readonly decider: Decider<State, Cmd, Event>;
  /** In the order in which they are decided; a stream may be named several times. */
  readonly streams: readonly Ref[];
  /** Read together with the streams, for `command`. */
  readonly reads: readonly Statement[];
  /** May refuse itself, as the decider may. */
  readonly command: (now: Date, stream: Ref, read: readonly pg.QueryResult[]) => Cmd;
  /** What is said with an event and may have to be erased. */
  readonly erasable?: (event: Event, stream: Ref) => Erasable;
  /** What is written with the events, and read once they are written. */
  readonly along: (outcomes: readonly Outcome<State, Ref>[]) => readonly Statement[];
}

/** What a command came to: a refusal left everything as it was. */
export interface Outcome<State, Ref extends StreamRef = StreamRef> {
  readonly stream: Ref;
  /** After this command, and before those that came later. */
  readonly state: State;
  /** The stream before this command, oldest first: loaded, or appended by the commands before it. */
  readonly history: readonly StoredEvent[];
  readonly events: readonly StoredEvent[];
  readonly refused: Refused | null;
}

export interface DecidedEach<State, Ref extends StreamRef> {
  /** In the order given. */
  readonly outcomes: readonly Outcome<State, Ref>[];
  /** To the statements of `along`. */
  readonly answers: readonly pg.QueryResult[];
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

  /**
   * Decides commands that have nothing to do with one another in one transaction of two trips: a refusal is its command's
   * outcome and does not concern the others. What it returns is on disk; when it throws, nothing is known of any.
   */
  decideEach<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef>(
    each: DecideEach<State, Cmd, Event, Ref>,
  ): Promise<DecidedEach<State, Ref>> {
    return this.untilNoConflict(
      (tx, read) => Promise.resolve(decideEachOnce(tx, each, read)),
      [lockStatement(each.streams), loadStatement(each.streams), ...each.reads],
    );
  }

  private async untilNoConflict<T>(
    work: (tx: Tx, read: readonly pg.QueryResult[]) => Promise<T | Ending<T>>,
    opening: readonly Statement[] = [],
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await inTransaction(this.pool, work, opening);
      } catch (error) {
        const meaning = conflictOr(error);
        if (!(meaning instanceof VersionConflict) || attempt === attempts) throw meaning;
      }
    }
  }
}

async function updateOnce<State, Cmd, Event extends DecidedEvent>(
  tx: Tx,
  { decider, orgId, streamId, command, meta, project }: Update<State, Cmd, Event>,
): Promise<Updated<State>> {
  const now = await lockStreams(tx, [{ orgId, streamId }]);
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
  { decider, streams, command, erasable, project }: UpdateMany<State, Cmd, Event, Ref>,
): Promise<UpdatedMany<State>> {
  const now = await lockStreams(tx, streams);
  const { text, values } = loadStatement(streams);
  const { rows } = await tx.query<StoredEvent>(text, [...values]);
  const outcomes = decideInTurn({ decider, streams, erasable }, rows, now, (stream) => command(now, stream));
  for (const { refused } of outcomes) if (refused !== null) throw refused;
  const events = await appendEvents(
    tx,
    outcomes.flatMap((outcome) => outcome.events),
  );
  if (events.length > 0) await project?.(tx, events);
  return { states: outcomes.map(({ state }) => state), events };
}

function decideEachOnce<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef>(
  tx: Tx,
  { decider, streams, command, erasable, along }: DecideEach<State, Cmd, Event, Ref>,
  [locked, loaded, ...read]: readonly pg.QueryResult[],
): Ending<DecidedEach<State, Ref>> {
  const now = timeIn(locked?.rows as readonly TimeRow[] | undefined);
  const rows = (loaded?.rows ?? []) as readonly StoredEvent[];
  const outcomes = decideInTurn({ decider, streams, erasable }, rows, now, (stream) =>
    command(now, stream, read),
  );
  const events = outcomes.flatMap((outcome) => outcome.events);
  const first = events.length === 0 ? [] : [appending(events)];
  tx.inserted.push(...events);
  return new Ending([...first, ...along(outcomes)], (answers) => ({
    outcomes,
    answers: answers.slice(first.length),
  }));
}

/** Each command finds its stream as the commands before it left it. */
function decideInTurn<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef>(
  {
    decider,
    streams,
    erasable,
  }: Pick<DecideEach<State, Cmd, Event, Ref>, 'decider' | 'streams'> & {
    readonly erasable: ((event: Event, stream: Ref) => Erasable) | undefined;
  },
  loaded: readonly StoredEvent[],
  now: Date,
  command: (stream: Ref) => Cmd,
): Outcome<State, Ref>[] {
  const histories = Map.groupBy(loaded, (row) => keyOf(row.org_id, row.stream_id));
  const current = new Map<string, { state: State; history: readonly StoredEvent[] }>();
  return streams.map((stream) => {
    const { orgId: org_id, streamId: stream_id, meta } = stream;
    const key = keyOf(org_id, stream_id);
    const { state: before, history } = current.get(key) ?? known(histories.get(key) ?? []);
    try {
      const decided = decider.decide(command(stream), before);
      const events = decided.map((event, i) =>
        identified({
          org_id,
          stream_id,
          version: history.length + i + 1,
          type: event.type,
          data: event.data,
          meta,
          occurred_at: now,
          ...(erasable !== undefined && { erasable: erasable(event, stream) }),
        }),
      );
      const state = fold(decider, decided, before);
      current.set(key, { state, history: [...history, ...events] });
      return { stream, state, history, events, refused: null };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { stream, state: before, history, events: [], refused: error };
    }
  });

  function known(history: readonly StoredEvent[]) {
    return { state: fold(decider, history as unknown as readonly Event[]), history };
  }
}

const keyOf = (orgId: string, streamId: string) => `${orgId}/${streamId}`;
type Key = Pick<StreamRef, 'orgId' | 'streamId'>;

/**
 * Waits for other writers of the streams, then reads the clock: nobody decides between the reading and our commit. The
 * locks are taken in one order by everybody.
 */
const lockStatement = (streams: readonly Key[]): Statement => ({
  text: `WITH ordered AS MATERIALIZED (
       SELECT DISTINCT hashtextextended(key, 7154) AS hash FROM unnest($1::text[]) AS key ORDER BY hash),
     locked AS MATERIALIZED (SELECT count(pg_advisory_xact_lock(hash)::text) FROM ordered)
     SELECT date_trunc('milliseconds', clock_timestamp()) AS now FROM locked`,
  values: [streams.map(({ orgId, streamId }) => keyOf(orgId, streamId))],
});

/** A statement of its own after the locks: only so does it see what others committed while we waited. */
const loadStatement = (streams: readonly Key[]): Statement => {
  const keys = new Map(streams.map((stream) => [keyOf(stream.orgId, stream.streamId), stream]));
  const unique = [...keys.values()];
  return {
    // The limit tells the planner to expect few, or it reads the whole table while that is small and keeps to it.
    text: `SELECT ${storedColumns}
       FROM (SELECT * FROM unnest($1::text[], $2::text[]) AS k (org_id, stream_id) LIMIT $3) AS k
       JOIN event e USING (org_id, stream_id)
      ORDER BY e.org_id, e.stream_id, e.version`,
    values: [unique.map(({ orgId }) => orgId), unique.map(({ streamId }) => streamId), unique.length],
  };
};

interface TimeRow {
  readonly now: Date;
}

async function lockStreams(tx: Tx, streams: readonly Key[]): Promise<Date> {
  const { text, values } = lockStatement(streams);
  return timeIn((await tx.query<TimeRow>(text, [...values])).rows);
}

function timeIn(rows: readonly TimeRow[] | undefined): Date {
  const row = rows?.[0];
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
