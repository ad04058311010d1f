import { createHash } from 'node:crypto';
import { isStalePlan } from '@agentlattice/event-store';
import type pg from 'pg';

type Query = (text: unknown, values?: unknown, callback?: unknown) => unknown;
type Callback = (error: unknown, result?: unknown) => void;

/** Texts that are put together at run time must not fill the server's memory. */
const maxStatements = 256;

/**
 * Lets each connection prepare a statement once and not anew at every call: planning costs more than most of ours take
 * to run. A statement's name is the hash of its text, so one name never stands for two texts, whatever lies between.
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();
  /** Of the schema, as far as we noticed: statements planned before it changed are left behind. */
  private generation = 0;

  /** From now on statements with values, given as text, are prepared; all others are sent as they are. */
  prepareOn(client: pg.PoolClient): void {
    const send = client.query.bind(client) as Query;
    const query: Query = (text, values, callback) => {
      const name = typeof text === 'string' && Array.isArray(values) ? this.nameOf(text) : undefined;
      if (name === undefined) return send(text, values, callback);
      const answer = (send({ name, text, values }) as Promise<unknown>).catch((error: unknown) => {
        if (!isStalePlan(error)) throw error;
        this.generation += 1;
        this.names.clear();
        // The error ends a transaction; its caller begins it again.
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
