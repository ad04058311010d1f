/**
 * How long a connection to PostgreSQL may keep silent. One that is dropped without a word (a firewall that forgot it, a
 * host that is gone) looks like a slow one: without these the operating system waits for it for a quarter of an hour when
 * something was sent, and for two hours when nothing was.
 */
export const connectionLimits = {
  keepAlive: true,
  keepAliveInitialDelayMillis: 5_000,
  /** The server gives up before we do: then it says so, and the connection can be kept. */
  lock_timeout: 3_000,
  statement_timeout: 4_500,
  /** The outcome of a statement without an answer is unknown; its connection is not used again. */
  query_timeout: 5_000,
  /** Ends a transaction whose other half never came, and with it the locks that others wait for. */
  idle_in_transaction_session_timeout: 5_000,
} as const;

/** For sessions that hold a lock of their own: PostgreSQL ends them soon after their host vanished. */
export const noticeVanishedPeer = `SELECT set_config('tcp_keepalives_idle', '2', false),
  set_config('tcp_keepalives_interval', '1', false), set_config('tcp_keepalives_count', '2', false)`;
