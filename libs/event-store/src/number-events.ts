import type pg from 'pg';
import type { NumberedEvent, StoredEvent } from './stored-event.js';
import type { Statement } from './statement.js';

/** Held from the numbering to the end of the commit; the second key is the schema. */
const numberingLock = 715_402_004;

const lock: Statement = {
  text: 'SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))',
  values: [numberingLock],
};

/** Gives events the next numbers of the service (`gpos`) and of their workspaces (`source_seq`), in the order of `n`. */
const insertPositions = (fresh: string) => `WITH fresh AS MATERIALIZED (${fresh}),
     last AS MATERIALIZED (
       SELECT o.org_id, (SELECT p.source_seq FROM event_position p WHERE p.org_id = o.org_id
                          ORDER BY p.source_seq DESC LIMIT 1) AS source_seq
         FROM (SELECT DISTINCT org_id FROM fresh) o)
     INSERT INTO event_position (event_id, org_id, gpos, source_seq)
     SELECT f.event_id, f.org_id,
            (SELECT coalesce(max(gpos), 0) FROM event_position) + row_number() OVER (ORDER BY f.n),
            coalesce(l.source_seq, 0) + row_number() OVER (PARTITION BY f.org_id ORDER BY f.n)
       FROM fresh f JOIN last l USING (org_id)
     RETURNING event_id, gpos, source_seq`;

const numberGiven = insertPositions(
  'SELECT * FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS f (event_id, org_id, n)',
);

const numberOffered = `WITH numbered AS (${insertPositions(
  `SELECT f.event_id, e.org_id, f.n FROM unnest($1::text[]) WITH ORDINALITY AS f (event_id, n)
    JOIN event e USING (event_id)`,
)}) SELECT n.event_id, n.gpos, n.source_seq, e.occurred_at FROM numbered n JOIN event e USING (event_id)`;

/**
 * For committed events without a number, from releases that numbered after the commit. Only for the migration: afterwards an
 * event without a number was not written by a service.
 */
export const numberLeftOnce = insertPositions(
  `SELECT e.event_id, e.org_id, e.id AS n FROM event e
    WHERE NOT EXISTS (SELECT FROM event_position p WHERE p.event_id = e.event_id)`,
);

/**
 * The statements that number the events of a transaction. They are sent together with the COMMIT, so the lock is held only
 * for the commit. Two statements, because only a statement that begins after the lock is taken sees the earlier numbers of
 * other transactions.
 */
export const numberStatements = (events: readonly StoredEvent[]): Statement[] =>
  events.length === 0
    ? []
    : [
        lock,
        {
          text: numberGiven,
          values: [events.map(({ event_id }) => event_id), events.map(({ org_id }) => org_id)],
        },
      ];

/** The same for offered events of which the transaction may have inserted only some; it also returns their times. */
export const numberOfferedStatements = (events: readonly StoredEvent[]): Statement[] => [
  lock,
  { text: numberOffered, values: [events.map(({ event_id }) => event_id)] },
];

interface PositionRow {
  readonly event_id: string;
  /** bigint: pg gives text. */
  readonly gpos: string;
  readonly source_seq: string;
  readonly occurred_at?: Date;
}

/** The events that got a number, in the order of the numbers. */
export function numbered(
  events: readonly StoredEvent[],
  answer: pg.QueryResult | undefined,
): readonly NumberedEvent[] {
  const positions = new Map(
    ((answer?.rows ?? []) as readonly PositionRow[]).map((row) => [row.event_id, row] as const),
  );
  return events.flatMap((event) => {
    const position = positions.get(event.event_id);
    return position === undefined ? [] : [{ ...event, ...position }];
  });
}
