import type { Actor, ServiceName, WireEvent } from '@agentlattice/contracts';

/** Who and what an event came from. */
export interface EventMeta {
  readonly actor: Actor | null;
  readonly correlation_id: string | null;
  readonly traceparent: string | null;
  /** The same command given twice appends once. */
  readonly command_id?: string;
}

/** What a decider makes. */
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
  /** Default 1. */
  readonly schema_version?: number;
  readonly erasable?: Erasable;
}

/**
 * Texts that belong to an event and may have to be erased, by name. They are never stored with it: the service keeps them
 * in a table of its own, in the same transaction, and they go along to those who hear of the commit.
 */
export type Erasable = Readonly<Record<string, string | null | undefined>>;

export interface StoredEvent extends NewEvent {
  readonly event_id: string;
  readonly schema_version: number;
}

export const storedColumns =
  'e.org_id, e.stream_id, e.version, e.event_id, e.type, e.schema_version, e.data, e.meta, e.occurred_at';

export interface NumberedEvent extends StoredEvent {
  /** bigint: pg gives text. */
  readonly gpos: string;
  readonly source_seq: string;
}

export function toWireEvent(source: ServiceName, row: NumberedEvent): WireEvent {
  return {
    event_id: row.event_id,
    type: row.type,
    schema_version: row.schema_version,
    source,
    gpos: Number(row.gpos),
    source_seq: Number(row.source_seq),
    org_id: row.org_id,
    stream_id: row.stream_id,
    version: row.version,
    occurred_at: row.occurred_at.toISOString(),
    correlation_id: row.meta.correlation_id,
    traceparent: row.meta.traceparent,
    actor: row.meta.actor,
    data: row.data as Record<string, unknown>,
  };
}
