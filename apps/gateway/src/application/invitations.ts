import { type Actor, type InvitationView, type MemberView, Refused } from '@agentlattice/contracts';
import type { EventMeta } from '@agentlattice/event-store';
import { ownedBy } from '../domain/key-maker.js';
import { type MemberCommand, memberDecider } from '../domain/member.js';
import type { NewKey } from '../domain/new-key.js';
import type { InvitationStore, Membership } from '../outbound/invitation-store.js';
import type { Page, PrincipalStore } from '../outbound/principal-store.js';
import { firstEventOf } from './first-events.js';
import { newKey } from './new-key.js';

/** The person who asks, with a key of any workspace. */
export interface Invitee {
  readonly personId: string;
  /** Of the key. */
  readonly own: boolean;
  readonly via: Actor['via'];
  readonly correlationId: string;
  readonly traceparent: string | null;
}

export interface Accepted {
  readonly orgId: string;
  readonly member: MemberView;
  /** The first key there; it is the person's own. */
  readonly key: string;
}

/** What people do about workspaces that they were invited to. */
export class Invitations {
  constructor(
    private readonly store: PrincipalStore,
    private readonly invitations: InvitationStore,
    private readonly refresh: () => Promise<void>,
  ) {}

  /** @throws Refused OWN_KEY_NEEDED */
  async list(invitee: Invitee, page: Page): Promise<InvitationView[]> {
    checkOwn(invitee);
    return this.invitations.list(invitee.personId, page);
  }

  /** @throws Refused OWN_KEY_NEEDED, NOT_FOUND or INVITATION_ANSWERED */
  async accept(invitee: Invitee, id: string): Promise<Accepted> {
    const { org_id: orgId, role } = await this.found(invitee, id);
    const key = newKey({ name: 'own', kind: 'operator', role, memberId: id }, ownedBy(id));
    await this.answer(invitee, orgId, id, 'AcceptInvitation', key);
    await this.refresh();
    const member = await this.store.member(orgId, id);
    if (member === undefined) throw new Error('a membership that was just accepted is gone');
    return { orgId, member, key: key.key };
  }

  /** @throws Refused as `accept` */
  async decline(invitee: Invitee, id: string): Promise<InvitationView> {
    const invitation = await this.found(invitee, id);
    await this.answer(invitee, invitation.org_id, id, 'DeclineInvitation', null);
    return { ...invitation, status: 'declined' };
  }

  private async answer(
    invitee: Invitee,
    orgId: string,
    memberId: string,
    type: Extract<MemberCommand['type'], 'AcceptInvitation' | 'DeclineInvitation'>,
    key: NewKey | null,
  ): Promise<void> {
    const { store } = this;
    // The workspace is told of the membership alone: neither which key was used elsewhere nor who its member is there.
    const meta: EventMeta = {
      actor: { kind: 'operator', id: memberId, key_id: null, via: invitee.via },
      correlation_id: invitee.correlationId,
      traceparent: invitee.traceparent,
    };
    await store.events.update({
      decider: memberDecider,
      orgId,
      streamId: memberId,
      command: { type },
      meta,
      project: async (tx, _events, state) => {
        if (state.status !== 'none') await this.invitations.setStatus(tx, orgId, memberId, state.status);
        if (key === null) return;
        await store.insertKey(tx, orgId, key);
        await store.begin(tx, orgId, meta, [firstEventOf(key)]);
      },
    });
  }

  private async found(invitee: Invitee, id: string): Promise<Membership> {
    checkOwn(invitee);
    const invitation = await this.invitations.find(invitee.personId, id);
    if (invitation === undefined) throw new Refused('NOT_FOUND', 'there is no such invitation');
    return invitation;
  }
}

function checkOwn(invitee: Invitee): void {
  if (invitee.own) return;
  throw new Refused(
    'OWN_KEY_NEEDED',
    'another person made this key, so it cannot act for you in another workspace: use a key that you made with one of your own',
  );
}
