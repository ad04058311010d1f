import { type ApprovalEvent, isOpen, type KnownApproval } from './approval.js';
import { isLate } from './decide-vote.js';
import { type Person, whyNot } from './may-decide.js';
import { count } from './tally.js';

/** A member's role or groups changed, or the member was removed. */
export interface MemberChanged {
  readonly type: 'MemberChanged';
  readonly memberId: string;
  /** The member as known now; null: removed. */
  readonly person: Person | null;
  readonly now: Date;
}

/**
 * Withdraws the vote of a member who could not cast it any more. The member may vote again where a lesser vote is possible.
 * Nothing else follows from it: a vote less completes no quorum.
 */
export function decideMemberChange(
  { memberId, person, now }: MemberChanged,
  state: KnownApproval,
): readonly ApprovalEvent[] {
  if (!isOpen(state) || isLate(state, now)) return [];
  const vote = state.votes.find(({ member_id }) => member_id === memberId);
  if (vote === undefined) return [];
  const stands =
    person !== null &&
    whyNot(state, person, vote.key ?? null) === null &&
    vote.groups.every((group) => person.groups.includes(group)) &&
    (vote.forever_for === null || person.role === 'admin');
  if (stands) return [];
  const { approvals, denials } = count(
    state.terms,
    state.votes.filter((other) => other !== vote),
  );
  return [
    {
      type: 'approval.vote_withdrawn',
      data: { ...state.subject, member_id: memberId, approvals, denials },
    },
  ];
}
