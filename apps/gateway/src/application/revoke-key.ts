import type { KeyView } from '@agentlattice/contracts';
import { keyDecider } from '../domain/key.js';
import { endableKey, existingKey } from './existing-principals.js';
import type { PrincipalPorts, RequestContext } from './principal-ports.js';

/** @throws Refused FORBIDDEN for another person's key with rights over the instance */
export const makeRevokeKey =
  ({ store, refresh }: PrincipalPorts) =>
  async (context: RequestContext, keyId: string): Promise<KeyView> => {
    const { orgId, meta } = context;
    await endableKey(store, context, keyId);
    await store.events.update({
      decider: keyDecider,
      orgId,
      streamId: keyId,
      command: { type: 'RevokeKey' },
      meta,
      project: (tx) => store.revokeKey(tx, orgId, keyId),
    });
    await refresh();
    return existingKey(store, orgId, keyId);
  };
export type RevokeKey = ReturnType<typeof makeRevokeKey>;
