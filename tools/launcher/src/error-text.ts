// By shape, not by class: errors of Node's own modules belong to another realm when tests run in a sandbox.

/** The message of an error; the code of a failed connection without a message. */
export function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const message = 'message' in error ? String(error.message) : '';
  const cause = 'cause' in error && error.cause !== undefined ? ` (${errorText(error.cause)})` : '';
  return `${message === '' ? (errorCode(error) ?? 'unknown') : message}${cause}`;
}

/** The code of a system error, such as ENOENT. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
