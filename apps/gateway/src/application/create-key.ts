import { type NewKeyView, Refused } from '@agentlattice/contracts';
import type { KeyTerms } from '../domain/new-key.js';
import { lesserRole } from '../domain/principal.js';
import type { PrincipalStore } from '../outbound/principal-store.js';
import { existingAgent, existingKey } from './existing-principals.js';
import { firstEventOf } from './first-events.js';
import { newKey } from './new-key.js';
import type { PrincipalPorts, RequestContext } from './principal-ports.js';

/** @throws Refused NOT_FOUND or MEMBERSHIP_NOT_ACCEPTED */
export const makeCreateKey =
  ({ store, refresh }: PrincipalPorts) =>
  async ({ orgId, meta, originOf }: RequestContext, terms: KeyTerms): Promise<NewKeyView> => {
    const key = newKey(await completedTerms(store, orgId, terms), originOf(terms.memberId ?? null));
    await store.inTransaction(async (tx) => {
      await store.insertKey(tx, orgId, key);
      await store.begin(tx, orgId, meta, [firstEventOf(key)]);
    });
    await refresh();
    return { ...(await existingKey(store, orgId, key.id)), key: key.key };
  };
export type CreateKey = ReturnType<typeof makeCreateKey>;

/** The agent or member of a key must be of the workspace; an operator's key is at most the member's role (decisions §3.3). */
async function completedTerms(store: PrincipalStore, orgId: string, terms: KeyTerms): Promise<KeyTerms> {
  if (terms.kind === 'agent') await existingAgent(store, orgId, terms.agentId ?? '');
  if (terms.kind !== 'operator') return terms;
  const member = await store.member(orgId, terms.memberId ?? '');
  if (member === undefined) throw new Refused('NOT_FOUND', 'there is no such member in this workspace');
  if (member.status !== 'active')
    throw new Refused(
      'MEMBERSHIP_NOT_ACCEPTED',
      member.status === 'invited'
        ? 'this person has an account already and has not accepted the invitation yet; a key can be made once they have'
        : 'this person declined the invitation; a key can be made once they accept it after all',
    );
  return { ...terms, role: lesserRole(terms.role ?? member.role, member.role) };
}
