import type { DomainEvent, OperatorRole } from '@agentlattice/contracts';
import { assertNever, type Decider } from '@agentlattice/decider';

export type Member = { readonly status: 'none' } | { readonly status: 'active'; readonly role: OperatorRole };

export interface MemberCommand {
  readonly type: 'CreateMember';
  readonly id: string;
  readonly role: OperatorRole;
  readonly groups: readonly string[];
}

export type MemberEvent = DomainEvent<'member.created'>;

export const memberDecider: Decider<Member, MemberCommand, MemberEvent> = {
  decide: ({ id, role, groups }, state) =>
    state.status === 'none'
      ? [{ type: 'member.created', data: { member_id: id, role, groups: [...groups] } }]
      : [],
  evolve: (_state, event) => {
    switch (event.type) {
      case 'member.created':
        return { status: 'active', role: event.data.role };
      default:
        return assertNever(event.type);
    }
  },
  initialState: () => ({ status: 'none' }),
};
