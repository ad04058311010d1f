import { type InvitationLink, type NewMemberView, notifierCommands, Refused } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { typeid } from 'typeid-js';
import { memberDecider } from '../domain/member.js';
import type { InvitationLinks, NewLink } from '../outbound/invitation-links.js';
import type { InvitationStore } from '../outbound/invitation-store.js';
import type { NewMembership } from '../outbound/principal-store.js';
import { firstEventOfMember } from './first-events.js';
import type { PrincipalPorts, RequestContext } from './principal-ports.js';

export interface InvitePorts extends PrincipalPorts {
  readonly invitations: Pick<InvitationStore, 'setStatus'>;
  readonly links: InvitationLinks;
  readonly commands: Pick<CommandClient, 'request'>;
  readonly logger: Logger;
}

type Draft = Omit<NewMembership, 'id' | 'personId' | 'status'>;
interface Links {
  readonly shown: NewLink;
  readonly mailed: NewLink;
}

const mailWithinMs = 6_000;
const pageOf = (baseUrl: string, { token }: NewLink) => `${baseUrl}/accept-invitation#${token}`;

/**
 * Invites people. The answer is the same whether the address has an account or not. Two links are made: the one in the answer,
 * which the administrator has seen, and one that only the mail contains, which proves the address.
 */
export function makeInviteMember({ store, invitations, links, commands, logger, refresh }: InvitePorts) {
  const mail = async (
    { orgId, memberId: by }: RequestContext,
    memberId: string,
    baseUrl: string,
    { shown, mailed }: Links,
  ): Promise<InvitationLink> => {
    const outcome = await sent();
    const invitation = { link: pageOf(baseUrl, shown), expires_at: shown.expiresAt.toISOString() };
    return { ...invitation, mailed: outcome === 'sent' };

    async function sent(): Promise<string> {
      const facts = await links.mailFacts(orgId, memberId, by);
      if (facts === undefined) return 'failed';
      const expires_at = mailed.expiresAt.toISOString();
      const request = {
        org_id: orgId,
        member_id: memberId,
        ...facts,
        link: pageOf(baseUrl, mailed),
        expires_at,
      };
      try {
        const options = { timeoutMs: mailWithinMs };
        return (await commands.request(notifierCommands.mail_invitation, request, options)).outcome;
      } catch (error) {
        // The person is invited; the link of the answer works.
        logger.warn({ err: error, org_id: orgId, member_id: memberId }, 'an invitation could not be mailed');
        return 'failed';
      }
    }
  };

  return {
    async invite(context: RequestContext, draft: Draft, baseUrl: string): Promise<NewMemberView> {
      const { orgId, meta } = context;
      const id = typeid('mbr').toString();
      const made = await store.inTransaction(async (tx): Promise<Links> => {
        const person = { id: typeid('mbr').toString(), email: draft.email, passwordHash: null };
        const { personId } = await store.ensurePerson(tx, orgId, person);
        if (!(await store.insertMembership(tx, orgId, { ...draft, id, personId, status: 'invited' })))
          throw new Refused(
            'EMAIL_TAKEN',
            'this person is a member of the workspace already, or was invited',
          );
        await store.begin(tx, orgId, meta, [firstEventOfMember('InviteMember', { ...draft, id })]);
        const shown = await links.create(tx, orgId, id, { mailed: false });
        return { shown, mailed: await links.create(tx, orgId, id, { mailed: true }) };
      });
      await refresh();
      const [view, invitation] = await Promise.all([
        store.member(orgId, id),
        mail(context, id, baseUrl, made),
      ]);
      if (view === undefined) throw new Error('a member that was just made is gone');
      return { ...view, invitation };
    },

    /** @throws Refused NOT_FOUND or INVITATION_ANSWERED */
    async renew(context: RequestContext, memberId: string, baseUrl: string): Promise<InvitationLink> {
      const { orgId, meta } = context;
      const made = await store.inTransaction(async (tx): Promise<Links> => {
        await store.events.updateMany({
          tx,
          decider: memberDecider,
          streams: [{ orgId, streamId: memberId, meta }],
          command: () => ({ type: 'RenewInvitation' as const }),
        });
        // A declined invitation is open again.
        await invitations.setStatus(tx, orgId, memberId, 'invited');
        await links.endAll(tx, orgId, memberId);
        const shown = await links.create(tx, orgId, memberId, { mailed: false });
        return { shown, mailed: await links.create(tx, orgId, memberId, { mailed: true }) };
      });
      return mail(context, memberId, baseUrl, made);
    },
  };
}
export type InviteMember = ReturnType<typeof makeInviteMember>;
