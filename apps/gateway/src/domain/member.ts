import type { DomainEvent, MembershipStatus, OperatorRole } from '@agentlattice/contracts';
import { assertNever, type Decider, Refused } from '@agentlattice/decider';

interface Terms {
  readonly id: string;
  readonly role: OperatorRole;
  readonly groups: readonly string[];
}

export type Member = { readonly status: 'none' } | ({ readonly status: MembershipStatus } & Terms);

export type MemberCommand =
  /** A person with a new account is active at once; a person with an existing account is invited and decides. */
  | ({ readonly type: 'CreateMember' | 'InviteMember' } & Terms)
  | { readonly type: 'AcceptInvitation' | 'DeclineInvitation' | 'ChangePassword' };

export type MemberEvent = DomainEvent<
  'member.created' | 'member.invited' | 'member.accepted' | 'member.declined' | 'member.password_changed'
>;

function decide(command: MemberCommand, state: Member): readonly MemberEvent[] {
  switch (command.type) {
    case 'CreateMember':
      return state.status === 'none' ? [{ type: 'member.created', data: facts(command) }] : [];
    case 'InviteMember':
      return state.status === 'none' ? [{ type: 'member.invited', data: facts(command) }] : [];
    case 'AcceptInvitation': {
      const invited = known(state);
      if (invited.status === 'active')
        throw new Refused('INVITATION_ANSWERED', 'you are a member of the workspace already');
      return [{ type: 'member.accepted', data: facts(invited) }];
    }
    case 'DeclineInvitation': {
      const { status, id } = known(state);
      if (status !== 'invited')
        throw new Refused(
          'INVITATION_ANSWERED',
          status === 'active' ? 'you are a member of the workspace already' : 'you have declined already',
        );
      return [{ type: 'member.declined', data: { member_id: id } }];
    }
    case 'ChangePassword': {
      const { status, id } = known(state);
      if (status !== 'active') throw new Refused('NOT_FOUND', 'there is no such member');
      return [{ type: 'member.password_changed', data: { member_id: id } }];
    }
    default:
      return assertNever(command);
  }
}

function evolve(state: Member, event: MemberEvent): Member {
  switch (event.type) {
    case 'member.created':
    case 'member.accepted':
      return { status: 'active', ...termsOf(event.data) };
    case 'member.invited':
      return { status: 'invited', ...termsOf(event.data) };
    case 'member.password_changed':
      return state;
    case 'member.declined':
      return state.status === 'none' ? state : { ...state, status: 'declined' };
    default:
      return assertNever(event);
  }
}

function known(state: Member): Exclude<Member, { status: 'none' }> {
  if (state.status === 'none') throw new Refused('NOT_FOUND', 'there is no such invitation');
  return state;
}

const facts = ({ id, role, groups }: Terms) => ({ member_id: id, role, groups: [...groups] });
const termsOf = ({ member_id: id, role, groups }: ReturnType<typeof facts>): Terms => ({ id, role, groups });

export const memberDecider: Decider<Member, MemberCommand, MemberEvent> = {
  decide,
  evolve,
  initialState: () => ({ status: 'none' }),
};
