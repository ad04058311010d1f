import type { CannotDecide, KeyRef } from '@agentlattice/contracts';
import type { Refused } from '@agentlattice/decider';
import type { KnownApproval } from './approval.js';
import { decideVote, whyNoVote } from './decide-vote.js';
import { MayNotDecide, type Person } from './may-decide.js';

/** What a vote of this person would do now. */
export interface VotingOutlook {
  readonly can_decide: boolean;
  readonly cannot_decide_reason: CannotDecide | null;
  /** Whether an approval would complete the quorum. */
  readonly completes: boolean;
}

export interface Voter {
  readonly by: Person;
  readonly key: KeyRef | null;
  readonly now: Date;
}

/** By the rules that judge the vote itself. */
export function votingOutlook(state: KnownApproval, voter: Voter): VotingOutlook {
  const refused = whyNoVote(state, voter);
  if (refused !== null) return cannot(reasonOf(refused));
  const [event] = decideVote(
    { type: 'Approve', forever: null, policyVersion: null, grantExpiresAt: voter.now, ...voter },
    state,
  );
  return {
    can_decide: true,
    cannot_decide_reason: null,
    completes: event?.type === 'approval.approved',
  };
}

export const cannot = (reason: CannotDecide): VotingOutlook => ({
  can_decide: false,
  cannot_decide_reason: reason,
  completes: false,
});

const reasonOf = (refused: Refused): CannotDecide => ({
  code: refused instanceof MayNotDecide ? refused.reason : (byCode[refused.code] ?? 'OTHER'),
  text: refused.detail,
});

const byCode: Readonly<Record<string, CannotDecide['code']>> = {
  APPROVAL_ALREADY_DECIDED: 'DECIDED',
  APPROVAL_TIMED_OUT: 'TIMED_OUT',
  ALREADY_VOTED: 'VOTED',
};
