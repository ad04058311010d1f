/**
 * Whether an error says that a server does not answer, rather than that something is wrong with the question: trouble of
 * the connection, the SQLSTATE classes of a PostgreSQL that stops, starts or is full, and time that ran out, be it for a
 * lock. Its caller hears 503.
 */
export function isBackendAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code !== undefined)
    return /^(08|53|57P|57014|55P03|25P03|ECONN|EPIPE|ENOENT|ETIMEDOUT|ERR_STREAM_DESTROYED)/.test(code);
  return /^(timeout exceeded when trying to connect|Connection terminated|Query read timeout)/i.test(
    error.message,
  );
}
