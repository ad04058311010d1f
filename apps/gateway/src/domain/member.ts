import type { DomainEvent, MembershipStatus, OperatorRole } from '@agentlattice/contracts';
import { assertNever, type Decider, Refused } from '@agentlattice/decider';

interface Terms {
  readonly id: string;
  readonly role: OperatorRole;
  readonly groups: readonly string[];
}

export type Member =
  { readonly status: 'none' } | ({ readonly status: MembershipStatus | 'removed' } & Terms);

/** Facts about the workspace at the moment of the change. */
interface Colleagues {
  /** How many other members are active administrators. */
  readonly otherAdmins: number;
}

export interface UpdateMember extends Colleagues {
  readonly type: 'UpdateMember';
  /** Whether the name changes, which no event contains. */
  readonly renamed: boolean;
  /** Undefined: unchanged. */
  readonly role?: OperatorRole | undefined;
  readonly groups?: readonly string[] | undefined;
}

export type MemberCommand =
  /** A person with a new account is active at once; a person with an existing account is invited and decides. */
  | ({ readonly type: 'CreateMember' | 'InviteMember' } & Terms)
  | UpdateMember
  | ({ readonly type: 'RemoveMember' } & Colleagues)
  | { readonly type: 'AcceptInvitation' | 'DeclineInvitation' | 'RenewInvitation' | 'ChangePassword' };

export type MemberEvent = DomainEvent<
  | 'member.created'
  | 'member.invited'
  | 'member.accepted'
  | 'member.declined'
  | 'member.updated'
  | 'member.removed'
  | 'member.password_changed'
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
    case 'RenewInvitation': {
      const invited = present(state);
      if (invited.status === 'active')
        throw new Refused('INVITATION_ANSWERED', 'this person is a member of the workspace already');
      return [{ type: 'member.invited', data: facts(invited) }];
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
    case 'UpdateMember':
      return updated(command, present(state));
    case 'RemoveMember': {
      const member = present(state);
      checkLastAdmin(member, command);
      return [{ type: 'member.removed', data: { member_id: member.id } }];
    }
    case 'ChangePassword': {
      const { status, id } = present(state);
      if (status !== 'active') throw noMember();
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
    case 'member.updated':
      return state.status === 'none' ? state : { ...state, ...termsOf(event.data) };
    case 'member.removed':
      return state.status === 'none' ? state : { ...state, status: 'removed' };
    case 'member.password_changed':
      return state;
    case 'member.declined':
      return state.status === 'none' ? state : { ...state, status: 'declined' };
    default:
      return assertNever(event);
  }
}

type Known = Exclude<Member, { status: 'none' }>;

function updated(command: UpdateMember, member: Known): readonly MemberEvent[] {
  const { role = member.role, groups = member.groups, renamed } = command;
  if (role !== 'admin') checkLastAdmin(member, command);
  const changed = [
    ...(renamed ? (['name'] as const) : []),
    ...(role === member.role ? [] : (['role'] as const)),
    ...(isSameSet(groups, member.groups) ? [] : (['groups'] as const)),
  ];
  if (changed.length === 0) return [];
  return [{ type: 'member.updated', data: { ...facts({ id: member.id, role, groups }), changed } }];
}

/** A workspace without an administrator could not get one any more. */
function checkLastAdmin({ status, role }: Known, { otherAdmins }: Colleagues): void {
  if (status === 'active' && role === 'admin' && otherAdmins === 0)
    throw new Refused(
      'LAST_ADMIN',
      'this is the only administrator of the workspace; make another member an administrator first',
    );
}

const isSameSet = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && new Set([...a, ...b]).size === new Set(a).size;

/** A member who was removed does not exist for an invitation either. */
function known(state: Member): Known & { readonly status: MembershipStatus } {
  if (state.status === 'none' || state.status === 'removed')
    throw new Refused('NOT_FOUND', 'there is no such invitation');
  return { ...state, status: state.status };
}

function present(state: Member): Known {
  if (state.status === 'none' || state.status === 'removed') throw noMember();
  return state;
}

const noMember = () => new Refused('NOT_FOUND', 'there is no such member in this workspace');

const facts = ({ id, role, groups }: Terms) => ({ member_id: id, role, groups: [...groups] });
const termsOf = ({
  member_id: id,
  role,
  groups,
}: Pick<ReturnType<typeof facts>, 'member_id' | 'role' | 'groups'>): Terms => ({ id, role, groups });

export const memberDecider: Decider<Member, MemberCommand, MemberEvent> = {
  decide,
  evolve,
  initialState: () => ({ status: 'none' }),
};
