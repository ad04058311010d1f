import { type AgentView, Refused } from '@agentlattice/contracts';
import { typeid } from 'typeid-js';
import { agentDecider, ownerOf } from '../domain/agent.js';
import { holdersOf } from '../domain/key-maker.js';
import { existingAgent } from './existing-principals.js';
import { firstEventOf } from './first-events.js';
import { newKey } from './new-key.js';
import type { PrincipalPorts, RequestContext } from './principal-ports.js';

/**
 * Registers an agent with its first key.
 * @throws Refused NAME_TAKEN: policies may test the name and people read it, so it must not name two agents
 */
export const makeRegisterAgent =
  ({ store, refresh }: PrincipalPorts) =>
  async (
    { orgId, meta, memberId, originOf }: RequestContext,
    draft: { name: string; description: string | null },
  ): Promise<{ agent: AgentView; key: string }> => {
    const id = typeid('agt').toString();
    const ownerMemberId = ownerOf(meta.actor, memberId);
    const key = newKey({ name: draft.name, kind: 'agent', agentId: id }, originOf(null));
    const registered = agentDecider.decide(
      { type: 'RegisterAgent', id, ...draft, ownerMemberId },
      agentDecider.initialState(),
    );
    await store.inTransaction(async (tx) => {
      await store.insertAgent(tx, orgId, { id, ...draft, ownerMemberId, registrants: holdersOf(key) });
      if (!(await store.takeAgentName(tx, orgId, { id, name: draft.name })))
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
  };
export type RegisterAgent = ReturnType<typeof makeRegisterAgent>;
