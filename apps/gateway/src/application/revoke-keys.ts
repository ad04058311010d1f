import type { EventMeta, Tx } from '@agentlattice/event-store';
import { keyDecider } from '../domain/key.js';
import { setKeysRevoked } from '../outbound/member-store.js';
import type { PrincipalPorts } from './principal-ports.js';

/** Revokes keys, each by an entry in the log of its workspace, in the transaction that is the reason. */
export async function revokeKeys(
  { store }: Pick<PrincipalPorts, 'store'>,
  tx: Tx,
  keys: readonly { readonly orgId: string; readonly id: string }[],
  meta: EventMeta,
): Promise<void> {
  if (keys.length === 0) return;
  await store.events.updateMany({
    tx,
    decider: keyDecider,
    streams: keys.map(({ orgId, id }) => ({ orgId, streamId: id, meta })),
    command: () => ({ type: 'RevokeKey' as const }),
  });
  await setKeysRevoked(
    tx,
    keys.map(({ id }) => id),
  );
}
