import {
  type Actor,
  actor,
  eventData,
  type EventDataReader,
  parseWith,
  type ServiceName,
  type WireEvent,
} from '@agentlattice/contracts';
import { type Decider, fold } from '@agentlattice/decider';
import { z } from 'zod';

/** Who caused an event, and in which request. */
export interface EventMeta {
  readonly actor: Actor | null;
  readonly correlation_id: string | null;
  readonly traceparent: string | null;
  /** Of the command that decided it, where it may be sent again. Known in this service only. */
  readonly command_id?: string | undefined;
}

/** An event that a decider produced. */
export interface DecidedEvent {
  readonly type: string;
  readonly data: object;
}

export interface NewEvent extends DecidedEvent {
  readonly org_id: string;
  readonly stream_id: string;
  readonly version: number;
  readonly meta: EventMeta;
  readonly occurred_at: Date;
  /** Default: a fresh TypeID `evt_…`. */
  readonly event_id?: string;
  /** Default: the newest version of its type. */
  readonly schema_version?: number;
  readonly erasable?: Erasable;
}

/**
 * Texts that belong to an event and may have to be erased, by name. They are never stored in the event: the service writes
 * them to another table in the same transaction, and listeners for commits get them.
 */
export type Erasable = Readonly<Record<string, string | null | undefined>>;

/** An event that was just written, or that `readStoredEvent` has checked: its data is of the newest version. */
export interface StoredEvent extends NewEvent {
  readonly event_id: string;
  readonly schema_version: number;
}

export const storedColumns =
  'e.org_id, e.stream_id, e.version, e.event_id, e.type, e.schema_version, e.data, e.meta, e.occurred_at';

/** The columns that identify an event. Nothing of `data` has been checked. */
export interface EventRow {
  readonly org_id: string;
  readonly stream_id: string;
  readonly version: number;
  readonly type: string;
  readonly schema_version: number;
  readonly data: unknown;
}

/** All of `storedColumns`. */
export interface WholeEventRow extends EventRow {
  readonly event_id: string;
  readonly meta: unknown;
  readonly occurred_at: Date;
}

export interface Numbers {
  /** bigint: pg gives text. */
  readonly gpos: string;
  readonly source_seq: string;
}
export type NumberedEvent = StoredEvent & Numbers;

/** A stored event has a type or version that this build does not know, or another form: it must not be used. */
export class StoredEventUnreadable extends Error {
  override readonly name = 'StoredEventUnreadable';
  constructor({ org_id, stream_id, version }: EventRow, detail: string) {
    super(`event ${String(version)} of ${stream_id} in ${org_id} cannot be read: ${detail}`);
  }
}

/** The data of a row, brought to the newest version of its type. @throws StoredEventUnreadable */
export function readEventData<Row extends EventRow>(
  row: Row,
  reader: EventDataReader = eventData,
): Omit<Row, 'data'> & { readonly data: object } {
  const read = reader.read(row);
  if (!read.success) throw new StoredEventUnreadable(row, read.detail);
  return { ...row, schema_version: read.schemaVersion, data: read.data };
}

/** Events of older releases have more members than these. */
const storedMeta = z.object({
  actor: actor.nullable(),
  correlation_id: z.string().nullable(),
  traceparent: z.string().nullable(),
  command_id: z.string().optional(),
});

/**
 * A whole event, brought to the newest version of its type.
 * @throws StoredEventUnreadable
 */
export function readStoredEvent<Row extends EventRow & { readonly meta: unknown }>(
  row: Row,
  reader?: EventDataReader,
): Omit<Row, 'data'> & { readonly data: object; readonly meta: EventMeta } {
  const meta = parseWith(storedMeta, row.meta);
  if (!meta.success) throw new StoredEventUnreadable(row, 'its meta has another form');
  return { ...readEventData(row, reader), meta: meta.data };
}

/** The state after the events of a stream. */
export function foldStored<State, Command, Event extends DecidedEvent>(
  decider: Decider<State, Command, Event>,
  events: readonly Pick<StoredEvent, 'type' | 'data'>[],
): State {
  // Types and versions were checked when they were read. `assertNever` in `evolve` refuses a type of another decider.
  return fold(decider, events as unknown as readonly Event[]);
}

/** An event for other services, in its stored version, which a service that is not upgraded yet can read. */
export function toWireEvent(source: ServiceName, event: NumberedEvent): WireEvent {
  return {
    event_id: event.event_id,
    type: event.type,
    schema_version: event.schema_version,
    source,
    gpos: Number(event.gpos),
    source_seq: Number(event.source_seq),
    org_id: event.org_id,
    stream_id: event.stream_id,
    version: event.version,
    occurred_at: event.occurred_at.toISOString(),
    correlation_id: event.meta.correlation_id,
    traceparent: event.meta.traceparent,
    actor: event.meta.actor,
    data: { ...event.data },
  };
}

/**
 * The same from a row, which is checked first.
 * @throws StoredEventUnreadable
 */
export function readWireEvent(source: ServiceName, row: WholeEventRow & Numbers): WireEvent {
  const { schema_version, data } = row;
  const event = toWireEvent(source, readStoredEvent(row));
  return { ...event, schema_version, data: typeof data === 'object' ? { ...data } : {} };
}
