import { type Actor, Refused } from '@agentlattice/contracts';
import type { InvitationStore, Membership } from '../outbound/invitation-store.js';
import type { PrincipalPorts } from './principal-ports.js';

export interface InvitationPorts extends PrincipalPorts {
  readonly invitations: InvitationStore;
}

/** The person who calls, with a key of any workspace. */
export interface Invitee {
  readonly personId: string;
  /** Whether the person made the key with a key of their own. */
  readonly own: boolean;
  readonly via: Actor['via'];
  readonly correlationId: string;
  readonly traceparent: string | null;
}

/** @throws Refused OWN_KEY_NEEDED */
export function checkOwnKey(invitee: Invitee): void {
  if (invitee.own) return;
  throw new Refused(
    'OWN_KEY_NEEDED',
    'another person made this key, or set up this account, so it cannot act for you in another workspace: use a key that you made with one of your own, or the link of the invitation',
  );
}

/** @throws Refused OWN_KEY_NEEDED or NOT_FOUND */
export async function existingInvitation(
  invitations: Pick<InvitationStore, 'find'>,
  invitee: Invitee,
  id: string,
): Promise<Membership> {
  checkOwnKey(invitee);
  const invitation = await invitations.find(invitee.personId, id);
  if (invitation === undefined) throw new Refused('NOT_FOUND', 'there is no such invitation');
  return invitation;
}
