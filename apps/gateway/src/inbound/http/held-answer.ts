import type { Preferences } from '../../domain/prefer.js';
import type { GatewayReply } from './http-request.js';

const never = new AbortController().signal;

/** Aborted when the connection closes before the answer was sent: nobody waits any more. Without a wait, never. */
export function goneSignal(reply: GatewayReply, { waitSeconds }: Preferences): AbortSignal {
  if (waitSeconds === 0) return never;
  const gone = new AbortController();
  // Once it is closed nobody says so again.
  if (reply.raw.destroyed) gone.abort();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** Says which preferences were heeded (RFC 7240 §3). */
export function applied(reply: GatewayReply, { waitSeconds, grant }: Preferences): void {
  const names = [...(waitSeconds > 0 ? [`wait=${String(waitSeconds)}`] : []), ...(grant ? ['grant'] : [])];
  if (names.length > 0) reply.header('preference-applied', names.join(', '));
}
