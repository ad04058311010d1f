import { type AgentView, type KeyView, Refused } from '@agentlattice/contracts';
import { mayEndKey } from '../domain/key-maker.js';
import type { ActingAgent } from '../domain/principal.js';
import type { PrincipalStore } from '../outbound/principal-store.js';
import type { RequestContext } from './principal-ports.js';

/** @throws Refused NOT_FOUND */
export async function existingAgent(
  store: Pick<PrincipalStore, 'agent'>,
  orgId: string,
  id: string,
): Promise<AgentView> {
  const agent = await store.agent(orgId, id);
  if (agent === undefined) throw new Refused('NOT_FOUND', 'there is no such agent in this workspace');
  return agent;
}

/** @throws Refused NOT_FOUND */
export async function existingActingAgent(
  store: Pick<PrincipalStore, 'actingAgent'>,
  orgId: string,
  id: string,
): Promise<ActingAgent> {
  const agent = await store.actingAgent(orgId, id);
  if (agent === undefined) throw new Refused('NOT_FOUND', 'there is no such agent in this workspace');
  return agent;
}

/** @throws Refused NOT_FOUND */
export async function existingKey(
  store: Pick<PrincipalStore, 'key'>,
  orgId: string,
  id: string,
): Promise<KeyView> {
  const key = await store.key(orgId, id);
  if (key === undefined) throw new Refused('NOT_FOUND', 'there is no such key in this workspace');
  return key;
}

/** A key that the caller may revoke or rotate. @throws Refused NOT_FOUND or FORBIDDEN */
export async function endableKey(
  store: Pick<PrincipalStore, 'key' | 'hasInstanceRights'>,
  context: RequestContext,
  id: string,
): Promise<KeyView> {
  const key = await existingKey(store, context.orgId, id);
  const instanceAdmin = await store.hasInstanceRights(context.orgId, id);
  if (!mayEndKey(context, { memberId: key.member_id, instanceAdmin }))
    throw new Refused(
      'FORBIDDEN',
      'this key carries rights over the instance, so only its person ends it, with a key that carries them as well',
    );
  return key;
}
