import type { Vote } from '@agentlattice/contracts';
import { type ApprovalEvent, isOpen, type KnownApproval } from './approval.js';
import { denied, isLate } from './decide-vote.js';
import { toldAtOnce } from './escalation-plan.js';
import { type Decidable, groupsUnder, type Person, whyNot } from './may-decide.js';
import { count } from './tally.js';

/** Whether the request would be approved if all of these people approved it who may. */
export function canBeApproved(state: Decidable, people: readonly Person[]): boolean {
  const votes = people
    .filter((person) => whyNot(state, person) === null)
    .map(({ memberId, groups }): Vote => ({
      member_id: memberId,
      decision: 'approve',
      groups: groupsUnder(state.terms, groups),
      at: state.requestedAt,
      forever_for: null,
    }));
  return count(state.terms, votes).seatsOpen.length === 0;
}

/** Where nobody can decide, waiting is for nothing: it is denied or told at once, as the policy says (decisions §4.5). */
export function decideUndecidable(
  { people, now }: { readonly people: readonly Person[]; readonly now: Date },
  state: KnownApproval,
): readonly ApprovalEvent[] {
  if (!isOpen(state) || isLate(state, now) || state.votes.length > 0) return [];
  // Another policy may have come to govern it since it was looked at.
  if (canBeApproved(state, people)) return [];
  return state.terms.on_no_approver === 'deny'
    ? [denied(state, { votes: [], change: null, denial_reason: 'NO_ELIGIBLE_APPROVER' })]
    : toldAtOnce(state);
}
