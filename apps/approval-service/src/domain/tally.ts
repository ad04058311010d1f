import type { ApprovalTerms, Vote } from '@agentlattice/contracts';
import { openSeats } from '@agentlattice/quorum';
import { possibleActors } from './key-holders.js';

export interface Tally {
  readonly have: number;
  readonly need: number;
}
/** Open seats; with `group` null any person who may decide fills them. */
export interface SeatsOpen {
  readonly group: string | null;
  readonly count: number;
}
export interface Count {
  readonly approvals: Tally;
  readonly denials: Tally;
  readonly seatsOpen: readonly SeatsOpen[];
  readonly complete: 'approved' | 'denied' | null;
}

/**
 * The votes that count. Any holder of a vote's key may have cast it, so of votes on one side whose keys share a holder only
 * one counts: no two counted votes can be from the same person. Votes that fewer people can have cast come first, so a vote
 * with a key of the voter's own always counts. The result does not depend on the order of the votes.
 */
export function countingVotes(votes: readonly Vote[]): Vote[] {
  const cast = votes
    .map((vote) => ({ vote, by: possibleActors(vote.member_id, vote.key) }))
    .sort((a, b) => a.by.length - b.by.length || compare(a.vote.member_id, b.vote.member_id));
  const kept = new Set<Vote>();
  const counted = { approve: new Set<string>(), deny: new Set<string>() };
  for (const { vote, by } of cast) {
    const side = counted[vote.decision];
    if (by.some((holder) => side.has(holder))) continue;
    kept.add(vote);
    for (const holder of by) side.add(holder);
  }
  return votes.filter((vote) => kept.has(vote));
}

const compare = (a: string, b: string) => (a < b ? -1 : 1);

/** The state of the quorum: N different people, and a different person on every seat of a group (decisions §5). */
export function count(terms: ApprovalTerms, votes: readonly Vote[]): Count {
  const counting = countingVotes(votes);
  const approving = counting.filter((vote) => vote.decision === 'approve');
  const denying = counting.length - approving.length;
  const { need, groups, others } = openSeats(terms, approving);
  const seatsOpen = [...groups, { group: null, count: others }].filter((seats) => seats.count > 0);
  return {
    approvals: { have: approving.length, need },
    denials: { have: denying, need: terms.denials_required },
    seatsOpen,
    complete: denying >= terms.denials_required ? 'denied' : seatsOpen.length === 0 ? 'approved' : null,
  };
}
