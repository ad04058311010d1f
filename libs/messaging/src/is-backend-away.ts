/**
 * Whether an error says that a server does not answer, rather than that something is wrong with the question: trouble of
 * the connection, and the SQLSTATE classes of a PostgreSQL that stops, starts or is full. Its caller hears 503.
 */
export function isBackendAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code !== undefined) return /^(08|53|57P|ECONN|EPIPE|ENOENT|ETIMEDOUT)/.test(code);
  return /^(timeout exceeded when trying to connect|Connection terminated)/i.test(error.message);
}
