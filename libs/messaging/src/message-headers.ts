import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';

/** Header that names the version of a command's payload. */
export const versionHeader = 'al-version';
const traceHeader = 'traceparent';
/** Epoch milliseconds after which the caller no longer waits for the answer. */
const expiryHeader = 'al-expires-at';
/** The same for a command that is sent again; gateways of earlier releases send none. */
const commandIdHeader = 'al-command-id';

export interface CommandFacts {
  readonly version: number;
  readonly traceparent: string | null;
  readonly expiresAt: number;
  readonly commandId: string;
}

export function commandHeaders({ version, traceparent, expiresAt, commandId }: CommandFacts): MsgHdrs {
  const made = traceHeaders(traceparent);
  made.set(versionHeader, String(version));
  made.set(expiryHeader, String(expiresAt));
  made.set(commandIdHeader, commandId);
  return made;
}

export const commandIdOf = (message: Pick<Msg, 'headers'>): string | undefined =>
  message.headers?.get(commandIdHeader) || undefined;

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
