import { isFilled, openSeats } from '@agentlattice/quorum';
import { type ApprovalEvent, isOpen, type KnownApproval } from './approval.js';
import { denied, isLate } from './decide-vote.js';
import { escalateAtOnce } from './escalation-plan.js';
import { type Decidable, type Person, decisionRefusal } from './may-decide.js';

/** Whether the request would be approved if all of these people who may decide it approved it. */
export const canBeApproved = (state: Decidable, people: readonly Person[]): boolean =>
  isFilled(
    openSeats(
      state.terms,
      people.filter((person) => decisionRefusal(state, person) === null),
    ),
  );

/** A request that no member can decide is denied or escalated at once, as its policy says (decisions §4.5). */
export function decideUndecidable(
  { people, now }: { readonly people: readonly Person[]; readonly now: Date },
  state: KnownApproval,
): readonly ApprovalEvent[] {
  if (!isOpen(state) || isLate(state, now) || state.votes.length > 0) return [];
  // Another policy may govern it now than when the caller read it.
  if (canBeApproved(state, people)) return [];
  return state.terms.on_no_approver === 'deny'
    ? [denied(state, { votes: [], change: null, denial_reason: 'NO_ELIGIBLE_APPROVER' })]
    : escalateAtOnce(state);
}
