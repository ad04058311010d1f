/**
 * Codes of a server that does not answer: SQLSTATE 08 (connection), 53 (out of space, memory or connections), 57 (stopped,
 * started, cancelled), 58 (its disk), 55P03 (a lock that took too long), 25P03 (a transaction that was idle too long), and
 * those of the operating system.
 */
const awayCodes =
  /^(08|53|57|58)[0-9A-Z]{3}$|^(55P03|25P03|ERR_STREAM_DESTROYED|EPIPE|ENOENT|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ECONN[A-Z]+)$/;

/**
 * Whether an error means that a server does not answer or cannot store, as opposed to a fault of the statement. The caller of
 * the API gets 503. Only codes are compared; `DatabaseClient` of the event store adds codes to errors of the driver that have
 * none.
 */
export function isBackendAway(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && awayCodes.test(error.code)
  );
}
