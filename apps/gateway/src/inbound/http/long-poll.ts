import type { Preferences } from '../../domain/prefer.js';
import type { GatewayReply } from './http-request.js';

const never = new AbortController().signal;

/** Aborted when the connection closes before the answer was sent; never when the client does not wait. */
export function clientGoneSignal(reply: GatewayReply, { waitSeconds }: Preferences): AbortSignal {
  if (waitSeconds === 0) return never;
  const gone = new AbortController();
  // A connection that is closed already emits no further event.
  if (reply.raw.destroyed) gone.abort();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** Names the preferences that were applied (RFC 7240 §3). */
export function setPreferenceApplied(reply: GatewayReply, { waitSeconds, grant }: Preferences): void {
  const names = [...(waitSeconds > 0 ? [`wait=${String(waitSeconds)}`] : []), ...(grant ? ['grant'] : [])];
  if (names.length > 0) reply.header('preference-applied', names.join(', '));
}
