import { eventData, type EventDataReader } from '@agentlattice/contracts';
import { type Decider, fold, Refused } from '@agentlattice/decider';
import type pg from 'pg';
import { appendEvents, appendStatement, conflictOr, identified, VersionConflict } from './append-events.js';
import { indexOfCommand } from './index-of-command.js';
import {
  type DecidedEvent,
  type Erasable,
  type EventMeta,
  foldStored,
  readStoredEvent,
  storedColumns,
  type StoredEvent,
  type WholeEventRow,
} from './stored-event.js';
import type { Statement } from './statement.js';
import { Ending, inTransaction, type Queryable, type Tx } from './transaction.js';

/** One stream of several; the caller may add what its command needs. */
export interface StreamRef {
  readonly orgId: string;
  readonly streamId: string;
  readonly meta: EventMeta;
}

export interface Update<State, Cmd, Event extends DecidedEvent> extends StreamRef {
  readonly decider: Decider<State, Cmd, Event>;
  /** Or a function of the database's time, which is read while no other writer can change the stream. */
  readonly command: Cmd | ((now: Date) => Cmd);
  /** Writes read models in the same transaction; called only when something was decided. */
  readonly project?: (tx: Tx, events: readonly StoredEvent[], state: State) => Promise<void>;
}

export interface UpdateMany<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef = StreamRef> {
  readonly decider: Decider<State, Cmd, Event>;
  readonly streams: readonly Ref[];
  /** No command may be refused: a refusal of one stream rolls back all. */
  readonly command: (now: Date, stream: Ref) => Cmd;
  /** The erasable values of an event. */
  readonly erasable?: (event: Event, stream: Ref) => Erasable;
  readonly project?: (tx: Tx, events: readonly StoredEvent[]) => Promise<void>;
  /** The transaction of the caller, which the caller commits; default: its own. */
  readonly tx?: Tx;
}

export interface Updated<State> {
  readonly state: State;
  /** The appended events; empty when the command changed nothing. */
  readonly events: readonly StoredEvent[];
  readonly version: number;
}

export interface UpdatedMany<State> {
  /** One for each stream, in the order given. */
  readonly states: State[];
  readonly events: readonly StoredEvent[];
}

/** Independent commands that share a commit. */
export interface DecideEach<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef = StreamRef> {
  readonly decider: Decider<State, Cmd, Event>;
  /** In the order in which they are decided; a stream may be named several times. */
  readonly streams: readonly Ref[];
  /** Read together with the streams, for `command`. */
  readonly reads: readonly Statement[];
  /** May throw `Refused` itself, as the decider may. */
  readonly command: (now: Date, stream: Ref, read: readonly pg.QueryResult[]) => Cmd;
  /** The erasable values of an event. */
  readonly erasable?: (event: Event, stream: Ref) => Erasable;
  /** Statements that are run after the events are inserted, in the same transaction. */
  readonly along: (outcomes: readonly Outcome<State, Ref>[]) => readonly Statement[];
}

/** The result of one command: a refusal leaves its stream as it was. */
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
  /** The answers to the statements of `along`. */
  readonly answers: readonly pg.QueryResult[];
}

const attempts = 5;

/**
 * Streams of events in the service's own schema; a state is the fold of its stream. `update` is for the command of one
 * stream, `updateMany` for commands that succeed or fail together, `decideEach` for commands that only share a commit. All of
 * them throw StoredEventUnreadable when an event of the stream cannot be read.
 */
export class EventStore {
  /** @param types reads stored data by type and version; default: the events of `libs/contracts` */
  constructor(
    private readonly pool: pg.Pool,
    private readonly types: EventDataReader = eventData,
  ) {}

  /** A stream's events, oldest first; empty when there is none. */
  load(orgId: string, streamId: string): Promise<StoredEvent[]> {
    return this.loadStreams(this.pool, [{ orgId, streamId }]);
  }

  /**
   * Reads, folds, decides, appends and projects in one transaction. Its result is on disk. A conflict with another writer is
   * resolved by the unique version: the loser reads and decides again.
   * @throws Refused when the decider refuses
   */
  async update<State, Cmd, Event extends DecidedEvent>({
    decider,
    command,
    project,
    ...stream
  }: Update<State, Cmd, Event>): Promise<Updated<State>> {
    const [outcome] = await this.untilNoConflict((tx) =>
      this.updateIn(tx, {
        decider,
        streams: [stream],
        command: (now) => (typeof command === 'function' ? (command as (now: Date) => Cmd)(now) : command),
        project: async (events, outcomes) => {
          for (const { state } of outcomes) await project?.(tx, events, state);
        },
      }),
    );
    if (outcome === undefined) throw new Error('a command has no outcome');
    const { state, events, history } = outcome;
    return { state, events, version: history.length + events.length };
  }

  /**
   * The same for several streams in one commit.
   * @throws VersionConflict only with `tx`, when another writer appended without the streams' locks: roll back the
   * transaction
   */
  async updateMany<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef>({
    project,
    tx: given,
    ...update
  }: UpdateMany<State, Cmd, Event, Ref>): Promise<UpdatedMany<State>> {
    const run = (tx: Tx) =>
      this.updateIn(tx, { ...update, project: async (events) => await project?.(tx, events) });
    const outcomes = await (given === undefined ? this.untilNoConflict(run) : run(given));
    return {
      states: outcomes.map(({ state }) => state),
      events: outcomes.flatMap(({ events }) => events),
    };
  }

  /**
   * Decides independent commands in one transaction of two round trips: a refusal is the outcome of its command and does not
   * affect the others. The returned outcomes are on disk; when it throws, the outcome of every command is unknown.
   */
  decideEach<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef>(
    each: DecideEach<State, Cmd, Event, Ref>,
  ): Promise<DecidedEach<State, Ref>> {
    return this.untilNoConflict(
      (tx, read) => Promise.resolve(this.decideEachIn(tx, each, read)),
      [lockStatement(each.streams), loadStatement(each.streams), ...each.reads],
    );
  }

  private async updateIn<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef>(
    tx: Tx,
    { project, command, ...update }: UpdateIn<State, Cmd, Event, Ref>,
  ): Promise<readonly Outcome<State, Ref>[]> {
    const { text, values } = lockStatement(update.streams);
    const now = timeIn((await tx.query<TimeRow>(text, [...values])).rows);
    const loaded = await this.loadStreams(tx, update.streams);
    const outcomes = this.decideInTurn(update, loaded, now, (stream) => command(now, stream));
    for (const { refused } of outcomes) if (refused !== null) throw refused;
    const events = outcomes.flatMap((outcome) => outcome.events);
    await appendEvents(tx, events);
    if (events.length > 0) await project(events, outcomes);
    return outcomes;
  }

  private decideEachIn<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef>(
    tx: Tx,
    { command, along, ...each }: DecideEach<State, Cmd, Event, Ref>,
    [locked, loaded, ...read]: readonly pg.QueryResult[],
  ): Ending<DecidedEach<State, Ref>> {
    const now = timeIn(locked?.rows as readonly TimeRow[] | undefined);
    const history = this.readRows((loaded?.rows ?? []) as readonly WholeEventRow[]);
    const outcomes = this.decideInTurn(each, history, now, (stream) => command(now, stream, read));
    const events = outcomes.flatMap((outcome) => outcome.events);
    const first = events.length === 0 ? [] : [appendStatement(events)];
    tx.inserted.push(...events);
    return new Ending([...first, ...along(outcomes)], (answers) => ({
      outcomes,
      answers: answers.slice(first.length),
    }));
  }

  /** Each command sees its stream after the commands before it. One that was executed before, by its `command_id`, decides nothing. */
  private decideInTurn<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef>(
    { decider, streams, erasable }: Deciding<State, Cmd, Event, Ref>,
    loaded: readonly StoredEvent[],
    now: Date,
    command: (stream: Ref) => Cmd,
  ): Outcome<State, Ref>[] {
    const histories = Map.groupBy(loaded, (event) => keyOf(event.org_id, event.stream_id));
    const current = new Map<string, { state: State; history: readonly StoredEvent[] }>();
    const asLoaded = (history: readonly StoredEvent[]) => ({ state: foldStored(decider, history), history });
    return streams.map((stream) => {
      const { orgId: org_id, streamId: stream_id, meta } = stream;
      const key = keyOf(org_id, stream_id);
      const { state: before, history } = current.get(key) ?? asLoaded(histories.get(key) ?? []);
      if (indexOfCommand(meta, history) >= 0)
        return { stream, state: before, history, events: [], refused: null };
      try {
        const decided = decider.decide(command(stream), before);
        const events = decided.map((event, i) =>
          identified(
            {
              org_id,
              stream_id,
              version: history.length + i + 1,
              type: event.type,
              data: event.data,
              meta,
              occurred_at: now,
              ...(erasable !== undefined && { erasable: erasable(event, stream) }),
            },
            this.types,
          ),
        );
        const state = fold(decider, decided, before);
        current.set(key, { state, history: [...history, ...events] });
        return { stream, state, history, events, refused: null };
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return { stream, state: before, history, events: [], refused: error };
      }
    });
  }

  private async loadStreams(db: Queryable, streams: readonly Key[]): Promise<StoredEvent[]> {
    const { text, values } = loadStatement(streams);
    return this.readRows((await db.query<WholeEventRow>(text, [...values])).rows);
  }

  private readRows(rows: readonly WholeEventRow[]): StoredEvent[] {
    return rows.map((row) => readStoredEvent(row, this.types));
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

/** Common to all ways to decide. */
interface Deciding<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef> {
  readonly decider: Decider<State, Cmd, Event>;
  readonly streams: readonly Ref[];
  readonly erasable?: (event: Event, stream: Ref) => Erasable;
}

interface UpdateIn<State, Cmd, Event extends DecidedEvent, Ref extends StreamRef> extends Deciding<
  State,
  Cmd,
  Event,
  Ref
> {
  readonly command: (now: Date, stream: Ref) => Cmd;
  readonly project: (
    events: readonly StoredEvent[],
    outcomes: readonly Outcome<State, Ref>[],
  ) => Promise<void>;
}

const keyOf = (orgId: string, streamId: string) => `${orgId}/${streamId}`;
type Key = Pick<StreamRef, 'orgId' | 'streamId'>;

/**
 * Waits for other writers of the streams, then reads the clock: no other writer decides between this reading and our commit.
 * All writers take the locks in the same order.
 */
const lockStatement = (streams: readonly Key[]): Statement => ({
  text: `WITH ordered AS MATERIALIZED (
       SELECT DISTINCT hashtextextended(key, 7154) AS hash FROM unnest($1::text[]) AS key ORDER BY hash),
     locked AS MATERIALIZED (SELECT count(pg_advisory_xact_lock(hash)::text) FROM ordered)
     SELECT date_trunc('milliseconds', clock_timestamp()) AS now FROM locked`,
  values: [streams.map(({ orgId, streamId }) => keyOf(orgId, streamId))],
});

/** A separate statement after the locks, so that it sees commits of others during the wait. */
const loadStatement = (streams: readonly Key[]): Statement => {
  const keys = new Map(streams.map((stream) => [keyOf(stream.orgId, stream.streamId), stream]));
  const unique = [...keys.values()];
  return {
    // The limit makes the planner expect few rows. Otherwise it plans to read the whole table while that is small, and keeps
    // that plan.
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

function timeIn(rows: readonly TimeRow[] | undefined): Date {
  const row = rows?.[0];
  if (row === undefined) throw new Error('the database did not return its time');
  return row.now;
}
