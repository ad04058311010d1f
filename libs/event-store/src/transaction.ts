import type pg from 'pg';
import { announceCommitted } from './committed-events.js';
import { DatabaseUnavailable } from './database-client.js';
import { numbered, numberOfferedStatements, numberStatements } from './number-events.js';
import type { Statement } from './statement.js';
import type { NumberedEvent, StoredEvent } from './stored-event.js';

/** A connection or a pool, for reads and for single statements. */
export type Queryable = Pick<pg.PoolClient, 'query'>;

/** A connection inside of a transaction. */
export interface Tx extends Queryable {
  /** The events it has inserted so far, in order; they are numbered together with the COMMIT. */
  readonly inserted: StoredEvent[];
}

/** How a transaction ends: its last statements are sent together with the COMMIT. */
export class Ending<T> {
  /** @param result makes the result from their answers, one for each; called after the commit */
  constructor(
    readonly statements: readonly Statement[],
    readonly result: (answers: readonly pg.QueryResult[]) => T,
  ) {}
}

type Work<T> = (tx: Tx, answers: readonly pg.QueryResult[]) => Promise<T | Ending<T>>;

/**
 * Runs `work` in one transaction; a connection in an unknown state is not returned to the pool. `work` may run a second time,
 * because a statement that was prepared before a migration fails once. Events that it inserted are numbered in the same write
 * as the COMMIT; listeners of `onCommitted` get them.
 * @param opening statements that only read or lock: they are sent together with the BEGIN, and `work` gets their answers
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: Work<T>,
  opening: readonly Statement[] = [],
): Promise<T> {
  return againIfStale(() => onConnection(pool, (client) => once(client, pool, work, opening)));
}

/**
 * Runs statements in one transaction of a single round trip. They insert the offered events whose version is still free; the
 * answers tell which.
 * @returns their answers, and the events that they inserted with their numbers; all of it is on disk
 */
export async function inOneRoundTrip(
  pool: pg.Pool,
  statements: readonly Statement[],
  offered: readonly StoredEvent[],
): Promise<{ readonly answers: readonly pg.QueryResult[]; readonly inserted: readonly NumberedEvent[] }> {
  return againIfStale(() =>
    onConnection(pool, async (client) => {
      const answers = await committing(client, [begin, ...statements, ...numberOfferedStatements(offered)]);
      const inserted = numbered(offered, answers.at(-2));
      if (inserted.length > 0) announceCommitted(pool, inserted);
      return { answers: answers.slice(1, statements.length + 1), inserted };
    }),
  );
}

async function againIfStale<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isStalePlan(error)) throw error;
    return run();
  }
}

async function once<T>(
  client: pg.PoolClient,
  pool: pg.Pool,
  work: Work<T>,
  opening: readonly Statement[],
): Promise<T> {
  const [, ...opened] = await together(client, [begin, ...opening]);
  const tx: Tx = {
    query: ((...args: Parameters<typeof client.query>) => client.query(...args)) as Tx['query'],
    inserted: [],
  };
  const ended = await work(tx, opened);
  const last = ended instanceof Ending ? ended.statements : [];
  const numbering = numberStatements(tx.inserted);
  const answers = await committing(client, [...last, ...numbering]);
  if (numbering.length > 0) announceCommitted(pool, numbered(tx.inserted, answers.at(-2)));
  return ended instanceof Ending ? ended.result(answers.slice(0, last.length)) : ended;
}

/** @returns the answers; the last is that of the COMMIT */
async function committing(
  client: pg.PoolClient,
  statements: readonly Statement[],
): Promise<pg.QueryResult[]> {
  const answers = await together(client, [...statements, commit]).catch((error: unknown) => {
    throw isAborted(error) ? new Error('the transaction was rolled back', { cause: error }) : error;
  });
  // After a failure the server treats a COMMIT as a ROLLBACK without an error.
  if (answers.at(-1)?.command !== 'COMMIT') throw new Error('the transaction was rolled back');
  return answers;
}

async function onConnection<T>(pool: pg.Pool, run: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that fails while we hold it reports the error to us, not to the pool.
  const onError = (error: Error) => (broken = error);
  client.on('error', onError);
  try {
    return await run(client);
  } catch (error) {
    // Without an answer it is unknown whether the COMMIT happened, and a statement sent now could run much later.
    if (error instanceof DatabaseUnavailable) broken = error;
    else await client.query('ROLLBACK').catch((failure: Error) => (broken = failure));
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

const begin: Statement = { text: 'BEGIN', values: [] };
const commit: Statement = { text: 'COMMIT', values: [] };

/** Sent in one write, because a write costs client and server more than many statements. */
function together(client: pg.PoolClient, statements: readonly Statement[]): Promise<pg.QueryResult[]> {
  const { stream } = client.connection;
  stream.cork();
  try {
    return Promise.all(
      statements.map(({ text, values }) =>
        values.length === 0 ? client.query(text) : client.query(text, [...values]),
      ),
    );
  } finally {
    stream.uncork();
  }
}

/** An earlier statement failed, and its error was not passed on. */
const isAborted = (error: unknown) => (error as { code?: unknown } | null)?.code === '25P02';

/** "cached plan must not change result type": a migration changed a table while connections were open. */
export const isStalePlan = (error: unknown) => (error as { code?: unknown } | null)?.code === '0A000';
