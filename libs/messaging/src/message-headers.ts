import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';

/** Header that names the version of a command's payload. */
export const versionHeader = 'al-version';
const traceHeader = 'traceparent';

export function commandHeaders(version: number, traceparent: string | null): MsgHdrs {
  const made = traceHeaders(traceparent);
  made.set(versionHeader, String(version));
  return made;
}

export function traceHeaders(traceparent: string | null): MsgHdrs {
  const made = headers();
  if (traceparent !== null) made.set(traceHeader, traceparent);
  return made;
}

export const traceparentOf = (message: Pick<Msg, 'headers'>): string | null =>
  message.headers?.get(traceHeader) || null;
