import pg from 'pg';

/**
 * The database did not answer: the connection could not be made, was lost, or was silent. The statement may or may not have
 * been run. Its code is the SQLSTATE of a failed connection.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  readonly code = '08006';
}

/** SQLSTATE of a full or broken disk: writes fail although reads succeed. */
const cannotStore = new Set(['53100', '58030']);

export interface DatabaseClientConfig extends pg.ClientConfig {
  /** Called for each statement that was refused for lack of space. */
  readonly onRefusedToStore?: () => void;
}

type Query = (query: unknown, values?: unknown, callback?: unknown) => unknown;
type Callback = (error: unknown, result?: unknown) => void;

/**
 * A connection whose errors show by their type whether the server refused a statement (`pg.DatabaseError`) or did not
 * answer it (`DatabaseUnavailable`). The driver has only messages for the second case, so the state of the connection is
 * checked when a statement fails, never the text.
 */
export class DatabaseClient extends pg.Client {
  private over = false;
  private readonly limitMs: number;
  private readonly onRefusedToStore: (() => void) | undefined;

  constructor({ onRefusedToStore, query_timeout = 0, ...config }: DatabaseClientConfig = {}) {
    super(config);
    this.onRefusedToStore = onRefusedToStore;
    this.limitMs = query_timeout;
    const send = super.query.bind(this) as Query;
    const query: Query = (text, values, callback) => {
      const done = typeof values === 'function' ? values : callback;
      const answer = this.answered(send, text, typeof values === 'function' ? undefined : values);
      if (typeof done !== 'function') return answer;
      answer.then(
        (result) => (done as Callback)(null, result),
        (error: unknown) => (done as Callback)(error),
      );
      return undefined;
    };
    this.query = query as typeof this.query;
    const connect = super.connect.bind(this) as (callback: (error: unknown) => void) => void;
    const connected = (callback?: (error: unknown) => void) => {
      // In the same turn of the event loop, because the pool listens for errors from then on, and one may be in the same
      // packet.
      if (callback !== undefined) return connect((error) => callback(error ? unavailable(error) : error));
      return new Promise<this>((resolve, reject) =>
        connect((error) => (error ? reject(unavailable(error)) : resolve(this))),
      );
    };
    this.connect = connected as typeof this.connect;
    const end = super.end.bind(this) as (callback?: unknown) => unknown;
    this.end = ((callback?: unknown) => {
      this.over = true;
      return end(callback);
    }) as typeof this.end;
  }

  /** `error` and `end` mean that the connection is lost; the statements under way fail after that. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'error' || event === 'end') this.over = true;
    const told = event === 'error' ? [unavailable(args[0])] : args;
    return super.emit(event as 'error', ...(told as [Error]));
  }

  private async answered(send: Query, query: unknown, values: unknown): Promise<unknown> {
    const { limitMs, sent } = this.limitOf(query);
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      if (limitMs === 0) return;
      timer = setTimeout(() => {
        this.over = true;
        reject(new DatabaseUnavailable('the database did not answer in time'));
        // Other statements of this connection would wait for it.
        this.connection.stream.destroy();
      }, limitMs);
    });
    try {
      return await Promise.race([send(sent, values), silence]);
    } catch (error) {
      if (error instanceof pg.DatabaseError) {
        if (cannotStore.has(error.code ?? '')) this.onRefusedToStore?.();
        throw error;
      }
      throw this.isOver ? unavailable(error) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A statement may have a limit of its own. The driver's timer is not used: it has no type of error either. */
  private limitOf(query: unknown): { limitMs: number; sent: unknown } {
    if (typeof query !== 'object' || query === null || !('query_timeout' in query))
      return { limitMs: this.limitMs, sent: query };
    const { query_timeout, ...sent } = query;
    return { limitMs: typeof query_timeout === 'number' ? query_timeout : this.limitMs, sent };
  }

  private get isOver(): boolean {
    return this.over || this.connection.stream.destroyed;
  }
}

/** A pool of such connections. When none is free in time, the error is the same. */
export class DatabasePool extends pg.Pool {
  /** Monotonic. */
  private refusedToStoreAt: number | null = null;

  constructor(config: pg.PoolConfig) {
    const onRefusedToStore = () => (this.refusedToStoreAt = performance.now());
    super({ ...config, onRefusedToStore, Client: DatabaseClient } as pg.PoolConfig);
    const connect = super.connect.bind(this) as (callback: Connected) => void;
    const connected = (callback?: Connected) => {
      if (callback !== undefined)
        return connect((error, client, release) => callback(error && unavailable(error), client, release));
      return new Promise<pg.PoolClient>((resolve, reject) =>
        connect((error, client) =>
          error || client === undefined ? reject(unavailable(error)) : resolve(client),
        ),
      );
    };
    this.connect = connected as typeof this.connect;
  }

  /** How long ago the database last refused a statement for lack of space; null when it never did. */
  get refusedToStoreMs(): number | null {
    return this.refusedToStoreAt === null ? null : performance.now() - this.refusedToStoreAt;
  }
}

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (release?: unknown) => void,
) => void;

const unavailable = (cause: unknown): DatabaseUnavailable =>
  cause instanceof DatabaseUnavailable
    ? cause
    : new DatabaseUnavailable('the database does not answer', { cause });
