import { replay, type ServiceName, type WireEvent } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import type pg from 'pg';

/** An event that waited longer than this is late. */
export const inTransitSeconds = 1;

/**
 * The age of the oldest event of this service that is committed and not yet published, by the database's clock; 0 when there
 * is none. It is read from the tables, so it is valid for every replica, whether or not a relay runs.
 */
export async function relayLagSeconds(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ seconds: string | null }>(
    `SELECT extract(epoch FROM clock_timestamp() - e.occurred_at) AS seconds
       FROM event_position p JOIN event e USING (event_id)
      WHERE p.gpos > (SELECT published_gpos FROM relay_checkpoint) ORDER BY p.gpos LIMIT 1`,
  );
  return atLeastZero(rows[0]?.seconds);
}

export interface Intake {
  readonly pool: pg.Pool;
  readonly client: CommandClient;
  readonly source: ServiceName;
  /** Default: events of all types. */
  readonly types?: readonly string[] | undefined;
  /** All events of the source up to this number are stored here. */
  readonly position: () => Promise<number>;
  /** No event was missing up to this number at the last measurement, so the source need not read its table again up to it. */
  readonly known?: () => number | undefined;
  /** Called with a position up to which no event is missing, so that the next measurement can skip it. */
  readonly emptyUpTo?: (gpos: number) => void;
}

/**
 * The age of the oldest event that its source has and that is not stored here; 0 when there is none. It asks the source, so
 * the lag is also seen when the stream delivers nothing.
 * @throws Unavailable when the source does not answer
 */
export async function intakeLagSeconds(intake: Intake): Promise<number> {
  const { pool, position } = intake;
  const known = intake.known?.();
  if (known !== undefined && (await oldestAfter(intake, known)) === undefined) return 0;
  const oldest = await oldestAfter(intake, await position());
  // It may have been stored in between.
  if (oldest === undefined || (await position()) >= oldest.gpos) return 0;
  const { rows } = await pool.query<{ seconds: string }>(
    'SELECT extract(epoch FROM clock_timestamp() - $1::timestamptz) AS seconds',
    [oldest.occurred_at],
  );
  return atLeastZero(rows[0]?.seconds);
}

async function oldestAfter(
  { client, source, types, emptyUpTo }: Intake,
  after_gpos: number,
): Promise<WireEvent | undefined> {
  const { events, through_gpos } = await client.request(replay(source), {
    after_gpos,
    limit: 1,
    ...(types === undefined ? {} : { types: [...types] }),
  });
  if (events.length === 0) emptyUpTo?.(through_gpos);
  return events[0];
}

const atLeastZero = (seconds: string | null | undefined) => Math.max(0, Number(seconds ?? 0));
