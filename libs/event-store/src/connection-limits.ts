/**
 * How long a connection to PostgreSQL may be silent. A connection that was dropped without notice (by a firewall, or because
 * the host is gone) looks like a slow one: without these limits the operating system waits a quarter of an hour when data was
 * sent, and two hours otherwise.
 */
export const connectionLimits = {
  keepAlive: true,
  keepAliveInitialDelayMillis: 5_000,
  /** The server's limit is below ours: it reports the time-out, and the connection can be used again. */
  lock_timeout: 3_000,
  statement_timeout: 4_500,
  /** The outcome of a statement without an answer is unknown; its connection is not used again. */
  query_timeout: 5_000,
  /** Ends a transaction whose client stopped sending, and releases its locks. */
  idle_in_transaction_session_timeout: 5_000,
} as const;

/** For sessions that hold a lock: PostgreSQL ends them soon after their host is gone. */
export const keepaliveStatement = `SELECT set_config('tcp_keepalives_idle', '2', false),
  set_config('tcp_keepalives_interval', '1', false), set_config('tcp_keepalives_count', '2', false)`;
