import { typeid } from 'typeid-js';
import type { NewEvent, StoredEvent } from './stored-event.js';
import type { Statement, Tx } from './transaction.js';

/** Somebody else appended to the stream first; the transaction must be given up and the stream read again. */
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
 * @returns the events as they stand, with their ids
 * @throws VersionConflict when one of the versions is taken
 */
export async function appendEvents(tx: Tx, events: readonly NewEvent[]): Promise<StoredEvent[]> {
  if (events.length === 0) return [];
  const stored = events.map(identified);
  const { text, values } = appending(stored);
  try {
    await tx.query(text, [...values]);
  } catch (error) {
    throw conflictOr(error);
  }
  tx.inserted.push(...stored);
  return stored;
}

/** An event as it will stand once it is inserted. */
export const identified = (event: NewEvent): StoredEvent => ({
  schema_version: 1,
  event_id: typeid('evt').toString(),
  ...event,
});

const asRows = (events: readonly StoredEvent[]) =>
  JSON.stringify(events.map((event) => ({ ...event, erasable: undefined })));

/** What `appendEvents` sends; `conflictOr` tells what its failure means. Who sends it adds the events to `tx.inserted`. */
export const appending = (events: readonly StoredEvent[]): Statement => ({
  text: insert,
  values: [asRows(events)],
});

/** A version that is taken says that the stream has moved on; any other error stays what it is. */
export const conflictOr = (error: unknown): unknown =>
  isVersionConflict(error) ? new VersionConflict('the stream has moved on', { cause: error }) : error;

const isVersionConflict = (error: unknown) =>
  error instanceof Error &&
  (error as { code?: unknown }).code === '23505' &&
  (error as { constraint?: unknown }).constraint === 'event_stream_version';
