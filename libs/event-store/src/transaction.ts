import type pg from 'pg';
import { DatabaseUnavailable } from './database-client.js';

/** A connection inside of a transaction. */
export type Tx = Pick<pg.PoolClient, 'query'>;

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** How a transaction ends: its last statements travel together with the COMMIT. */
export class Ending<T> {
  /** @param result made of their answers, one for each; called once all is on disk */
  constructor(
    readonly statements: readonly Statement[],
    readonly result: (answers: readonly pg.QueryResult[]) => T,
  ) {}
}

type Work<T> = (tx: Tx, answers: readonly pg.QueryResult[]) => Promise<T | Ending<T>>;

/**
 * Runs `work` in one transaction; a connection whose state is in doubt is not given back to the pool. It may run a second
 * time: a statement that was prepared before a migration fails once.
 * @param opening statements that only read or lock: they travel together with the BEGIN, and `work` gets their answers
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: Work<T>,
  opening: readonly Statement[] = [],
): Promise<T> {
  try {
    return await once(pool, work, opening);
  } catch (error) {
    if (!isStalePlan(error)) throw error;
    return once(pool, work, opening);
  }
}

async function once<T>(pool: pg.Pool, work: Work<T>, opening: readonly Statement[]): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that dies while we hold it reports to us, not to the pool.
  const onError = (error: Error) => (broken = error);
  client.on('error', onError);
  try {
    const [, ...opened] = await together(client, [begin, ...opening]);
    const ended = await work(client, opened);
    const answers = await together(client, [...(ended instanceof Ending ? ended.statements : []), commit]);
    // After a failure the server takes a COMMIT for a ROLLBACK and does not complain.
    if (answers.at(-1)?.command !== 'COMMIT') throw new Error('the transaction was rolled back');
    return ended instanceof Ending ? ended.result(answers.slice(0, -1)) : ended;
  } catch (error) {
    // Nobody answers: whether a COMMIT took place is unknown, and what is said now could be heard much later.
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

/** In one write: each costs both sides more than many a statement. */
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

/** "cached plan must not change result type": a migration changed a table while connections were open. */
export const isStalePlan = (error: unknown) => (error as { code?: unknown } | null)?.code === '0A000';
