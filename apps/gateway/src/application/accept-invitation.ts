import type { MemberView } from '@agentlattice/contracts';
import { ownedBy } from '../domain/key-maker.js';
import { answerInvitation } from './answer-invitation.js';
import { existingInvitation, type InvitationPorts, type Invitee } from './invitation-ports.js';
import { newKey } from './new-key.js';

export interface AcceptedInvitation {
  readonly orgId: string;
  readonly member: MemberView;
  /** The first key there; it is the person's own. */
  readonly key: string;
}

/** @throws Refused OWN_KEY_NEEDED, NOT_FOUND or INVITATION_ANSWERED */
export const makeAcceptInvitation =
  ({ store, invitations, refresh }: InvitationPorts) =>
  async (invitee: Invitee, id: string): Promise<AcceptedInvitation> => {
    const { org_id: orgId, role } = await existingInvitation(invitations, invitee, id);
    const key = newKey({ name: 'own', kind: 'operator', role, memberId: id }, ownedBy(id));
    const membership = { orgId, memberId: id };
    await answerInvitation({ store, invitations }, invitee, membership, 'AcceptInvitation', key);
    await refresh();
    const member = await store.member(orgId, id);
    if (member === undefined) throw new Error('an accepted membership is missing');
    return { orgId, member, key: key.key };
  };
export type AcceptInvitation = ReturnType<typeof makeAcceptInvitation>;
