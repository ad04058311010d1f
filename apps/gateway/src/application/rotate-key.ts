import { durationMs, type NewKeyView } from '@agentlattice/contracts';
import { keyDecider } from '../domain/key.js';
import { endableKey, existingKey } from './existing-principals.js';
import { firstEventOf } from './first-events.js';
import { newKey } from './new-key.js';
import type { PrincipalPorts, RequestContext } from './principal-ports.js';

/**
 * Makes a key with the old one's terms; the old one works until the overlap ends.
 * @throws Refused FORBIDDEN for another person's key with rights over the instance
 */
export const makeRotateKey =
  ({ store, refresh }: PrincipalPorts) =>
  async (context: RequestContext, keyId: string, overlap: string): Promise<NewKeyView> => {
    const { orgId, meta, originOf } = context;
    const old = await endableKey(store, context, keyId);
    const { name, kind, role, scopes, member_id, agent_id, expires_at } = old;
    const key = newKey(
      { name, kind, role, scopes, memberId: member_id, agentId: agent_id, expiresAt: expires_at },
      originOf(member_id),
    );
    const overlapMs = durationMs(overlap) ?? 0;
    let overlapUntil = '';
    await store.events.update({
      decider: keyDecider,
      orgId,
      streamId: keyId,
      command: (now: Date) => {
        overlapUntil = new Date(now.getTime() + overlapMs).toISOString();
        return { type: 'RotateKey' as const, successorId: key.id, overlapUntil };
      },
      meta,
      project: async (tx) => {
        await store.endKeyAt(tx, orgId, keyId, overlapUntil);
        await store.insertKey(tx, orgId, key);
        await store.begin(tx, orgId, meta, [firstEventOf(key)]);
      },
    });
    await refresh();
    return { ...(await existingKey(store, orgId, key.id)), key: key.key };
  };
export type RotateKey = ReturnType<typeof makeRotateKey>;
