import { type AgentView, Refused } from '@agentlattice/contracts';
import { typeid } from 'typeid-js';
import { agentDecider, type DelegatedBy, ownerOf } from '../domain/agent.js';
import { holdersOf } from '../domain/key-maker.js';
import { existingAgent } from './existing-principals.js';
import { firstEventOf } from './first-events.js';
import { newKey } from './new-key.js';
import type { PrincipalPorts, RequestContext } from './principal-ports.js';

export interface AgentDraft {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly ownerMemberId: string | null;
  readonly delegation: DelegatedBy | null;
  /** Null: never. */
  readonly keyExpiresAt: string | null;
}

/** Registers an agent with its first key. @throws Refused NAME_TAKEN */
export const makeRegisterAgent =
  (ports: PrincipalPorts) =>
  async (
    context: RequestContext,
    draft: { name: string; description: string | null },
  ): Promise<{ agent: AgentView; key: string }> =>
    addAgent(ports, context, {
      ...draft,
      id: typeid('agt').toString(),
      ownerMemberId: ownerOf(context.meta.actor, context.memberId),
      delegation: null,
      keyExpiresAt: null,
    });
export type RegisterAgent = ReturnType<typeof makeRegisterAgent>;

/**
 * Writes an agent with its first key.
 * @throws Refused NAME_TAKEN: policies may test the name and people read it, so it must not name two agents
 */
export async function addAgent(
  { store, refresh }: PrincipalPorts,
  { orgId, meta, originOf }: RequestContext,
  { keyExpiresAt, ...agent }: AgentDraft,
): Promise<{ agent: AgentView; key: string }> {
  const { id, name, delegation } = agent;
  const key = newKey(
    { name, kind: 'agent', agentId: id, expiresAt: keyExpiresAt, delegationId: delegation?.id ?? null },
    originOf(null),
  );
  const registered = agentDecider.decide({ type: 'RegisterAgent', ...agent }, agentDecider.initialState());
  await store.inTransaction(async (tx) => {
    await store.insertAgent(tx, orgId, { ...agent, registrants: holdersOf(key) });
    if (!(await store.takeAgentName(tx, orgId, { id, name })))
      throw new Refused(
        'NAME_TAKEN',
        'another agent of this workspace has this name, or one that reads the same',
        {
          errors: [{ pointer: '/name', detail: 'is taken' }],
        },
      );
    await store.insertKey(tx, orgId, key);
    await store.begin(tx, orgId, meta, [{ id, events: registered }, firstEventOf(key)]);
  });
  await refresh();
  return { agent: await existingAgent(store, orgId, id), key: key.key };
}
