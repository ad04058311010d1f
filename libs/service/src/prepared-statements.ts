import { createHash } from 'node:crypto';
import { isStalePlan } from '@agentlattice/event-store';
import type pg from 'pg';

type Query = (text: unknown, values?: unknown, callback?: unknown) => unknown;
type Callback = (error: unknown, result?: unknown) => void;

/** Limited, so that statements generated at run time do not fill the server's memory. */
const maxStatements = 256;

/**
 * Lets each connection prepare a statement once and not at every call: planning costs more than running most of ours. The name of a
 * statement is the hash of its text, so that two texts never have the same name, also with a connection pooler.
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();
  /** Counts changes of the schema that were noticed: statements prepared before the last one are not used any more. */
  private generation = 0;

  /** Makes the connection prepare statements that are given as text with values; all others are sent unchanged. */
  prepareOn(client: pg.PoolClient): void {
    const send = client.query.bind(client) as Query;
    const query: Query = (text, values, callback) => {
      const name = typeof text === 'string' && Array.isArray(values) ? this.nameOf(text) : undefined;
      if (name === undefined) return send(text, values, callback);
      const answer = (send({ name, text, values }) as Promise<unknown>).catch((error: unknown) => {
        if (!isStalePlan(error)) throw error;
        this.generation += 1;
        this.names.clear();
        // The error ends the transaction; the caller begins it again.
        if (client.getTransactionStatus() !== 'I') throw error;
        return send(text, values);
      });
      if (typeof callback !== 'function') return answer;
      answer.then(
        (result) => (callback as Callback)(null, result),
        (error: unknown) => (callback as Callback)(error),
      );
      return undefined;
    };
    client.query = query as typeof client.query;
  }

  private nameOf(text: string): string | undefined {
    const known = this.names.get(text);
    if (known !== undefined || this.names.size >= maxStatements) return known;
    const name = createHash('sha256')
      .update(`${String(this.generation)} ${text}`)
      .digest('base64url');
    this.names.set(text, name);
    return name;
  }
}
