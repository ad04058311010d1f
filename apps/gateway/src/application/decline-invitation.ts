import type { InvitationView } from '@agentlattice/contracts';
import { answerInvitation } from './answer-invitation.js';
import { existingInvitation, type InvitationPorts, type Invitee } from './invitation-ports.js';

/** @throws Refused OWN_KEY_NEEDED, NOT_FOUND or INVITATION_ANSWERED */
export const makeDeclineInvitation =
  ({ store, invitations }: Pick<InvitationPorts, 'store' | 'invitations'>) =>
  async (invitee: Invitee, id: string): Promise<InvitationView> => {
    const invitation = await existingInvitation(invitations, invitee, id);
    const membership = { orgId: invitation.org_id, memberId: id };
    await answerInvitation({ store, invitations }, invitee, membership, 'DeclineInvitation', null);
    return { ...invitation, status: 'declined' };
  };
export type DeclineInvitation = ReturnType<typeof makeDeclineInvitation>;
