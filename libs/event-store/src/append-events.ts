import { eventData, type EventDataReader } from '@agentlattice/contracts';
import { typeid } from 'typeid-js';
import type { NewEvent, StoredEvent } from './stored-event.js';
import type { Statement } from './statement.js';
import type { Tx } from './transaction.js';

/** Another writer appended to the stream first: roll back the transaction and read the stream again. */
export class VersionConflict extends Error {
  override readonly name = 'VersionConflict';
}

const insert = `INSERT INTO event AS e (org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at)
  SELECT org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at
    FROM ROWS FROM (jsonb_to_recordset($1::jsonb)
      AS (org_id text, stream_id text, version int, event_id text, type text, schema_version int, data jsonb,
          meta jsonb, occurred_at timestamptz)) WITH ORDINALITY
      AS r (org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at, n)
   ORDER BY n`;

/**
 * Inserts in one statement, in the order given; they are numbered with the COMMIT.
 * @returns the events as they are stored, with their ids
 * @throws VersionConflict when one of the versions is taken
 */
export async function appendEvents(tx: Tx, events: readonly NewEvent[]): Promise<StoredEvent[]> {
  if (events.length === 0) return [];
  const stored = events.map((event) => identified(event));
  const { text, values } = appendStatement(stored);
  try {
    await tx.query(text, [...values]);
  } catch (error) {
    throw conflictOr(error);
  }
  tx.inserted.push(...stored);
  return stored;
}

/** The event as it is stored once it is inserted. */
export function identified(event: NewEvent, reader: EventDataReader = eventData): StoredEvent {
  const schema_version = event.schema_version ?? reader.newestVersion(event.type);
  if (schema_version === null)
    throw new Error(`the event type ${event.type} is unknown: it cannot be stored`);
  return { event_id: typeid('evt').toString(), ...event, schema_version };
}

const asRows = (events: readonly StoredEvent[]) =>
  JSON.stringify(events.map((event) => ({ ...event, erasable: undefined })));

/** The statement of `appendEvents`; pass its error to `conflictOr`. The caller adds the events to `tx.inserted`. */
export const appendStatement = (events: readonly StoredEvent[]): Statement => ({
  text: insert,
  values: [asRows(events)],
});

/** A VersionConflict when another writer took the version first; any other error is returned unchanged. */
export const conflictOr = (error: unknown): unknown =>
  isVersionConflict(error) ? new VersionConflict('the stream has moved on', { cause: error }) : error;

const isVersionConflict = (error: unknown) =>
  error instanceof Error &&
  (error as { code?: unknown }).code === '23505' &&
  (error as { constraint?: unknown }).constraint === 'event_stream_version';
