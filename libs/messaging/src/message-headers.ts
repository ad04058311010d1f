import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';

/** Header that names the version of a command's payload. */
export const versionHeader = 'al-version';
const traceHeader = 'traceparent';
/** Epoch milliseconds after which the caller no longer waits for the answer. */
const expiryHeader = 'al-expires-at';

export function commandHeaders(version: number, traceparent: string | null, expiresAt: number): MsgHdrs {
  const made = traceHeaders(traceparent);
  made.set(versionHeader, String(version));
  made.set(expiryHeader, String(expiresAt));
  return made;
}

export function traceHeaders(traceparent: string | null): MsgHdrs {
  const made = headers();
  if (traceparent !== null) made.set(traceHeader, traceparent);
  return made;
}

export const traceparentOf = (message: Pick<Msg, 'headers'>): string | null =>
  message.headers?.get(traceHeader) || null;

/** Whether the caller has given up: its command must no longer be executed. */
export const isExpired = (message: Pick<Msg, 'headers'>): boolean =>
  Date.now() > Number(message.headers?.get(expiryHeader) || Number.POSITIVE_INFINITY);
