import type { EventMeta } from '@agentlattice/event-store';
import { type MemberCommand, memberDecider } from '../domain/member.js';
import type { NewKey } from '../domain/new-key.js';
import { firstEventOf } from './first-events.js';
import type { InvitationPorts, Invitee } from './invitation-ports.js';

/** Writes the answer to an invitation, with the first key of an accepted membership. @throws Refused INVITATION_ANSWERED */
export async function answerInvitation(
  { store, invitations }: Pick<InvitationPorts, 'store' | 'invitations'>,
  invitee: Invitee,
  { orgId, memberId }: { readonly orgId: string; readonly memberId: string },
  type: Extract<MemberCommand['type'], 'AcceptInvitation' | 'DeclineInvitation'>,
  key: NewKey | null,
): Promise<void> {
  // The workspace learns of the membership alone: not which key was used elsewhere, nor which member its person is there.
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
      if (state.status !== 'none') await invitations.setStatus(tx, orgId, memberId, state.status);
      if (key === null) return;
      await store.insertKey(tx, orgId, key);
      await store.begin(tx, orgId, meta, [firstEventOf(key)]);
    },
  });
}
