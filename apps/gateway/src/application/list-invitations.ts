import type { InvitationView } from '@agentlattice/contracts';
import type { Page } from '../outbound/principal-store.js';
import { checkOwnKey, type InvitationPorts, type Invitee } from './invitation-ports.js';

/** The invitations of a person to other workspaces. @throws Refused OWN_KEY_NEEDED */
export const makeListInvitations =
  ({ invitations }: Pick<InvitationPorts, 'invitations'>) =>
  async (invitee: Invitee, page: Page): Promise<InvitationView[]> => {
    checkOwnKey(invitee);
    return invitations.list(invitee.personId, page);
  };
export type ListInvitations = ReturnType<typeof makeListInvitations>;
