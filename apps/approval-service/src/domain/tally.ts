import type { ApprovalTerms, Vote } from '@agentlattice/contracts';
import { mayHaveSaid } from './key-holders.js';

export interface Tally {
  readonly have: number;
  readonly need: number;
}
/** Seats that nobody fills yet; `group` null: anybody who may decide. */
export interface OpenSeats {
  readonly group: string | null;
  readonly count: number;
}
export interface Count {
  readonly approvals: Tally;
  readonly denials: Tally;
  readonly seatsOpen: readonly OpenSeats[];
  readonly complete: 'approved' | 'denied' | null;
}

/**
 * Those that count. A vote may have been cast by any holder of its key, so of votes on one side that share a holder one
 * counts: no two that count can be one person's. Those that fewest people can have cast come first, so a vote with a key
 * that is the voter's own always counts. Depends on no order.
 */
export function countingVotes(votes: readonly Vote[]): Vote[] {
  const cast = votes
    .map((vote) => ({ vote, by: mayHaveSaid(vote.member_id, vote.key) }))
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

/** How far the votes are: N different people, and a different person on every seat of a group (decisions §5). */
export function count(terms: ApprovalTerms, votes: readonly Vote[]): Count {
  const counting = countingVotes(votes);
  const approving = counting.filter((vote) => vote.decision === 'approve');
  const denying = counting.length - approving.length;
  const groups = openGroupSeats(terms, approving);
  const inGroups = sum(groups);
  // Seats of groups are people too: a policy may ask for more of them than `approvals_required` says.
  const need = Math.max(terms.approvals_required, sum(terms.approver_groups));
  const others = Math.max(0, need - approving.length - inGroups);
  const seatsOpen = [...groups, { group: null, count: others }].filter((seats) => seats.count > 0);
  return {
    approvals: { have: approving.length, need },
    denials: { have: denying, need: terms.denials_required },
    seatsOpen,
    complete: denying >= terms.denials_required ? 'denied' : seatsOpen.length === 0 ? 'approved' : null,
  };
}

const sum = (seats: readonly { readonly count: number }[]) =>
  seats.reduce((total, seat) => total + seat.count, 0);

/** Seats that stay open when as many as possible are filled: a maximum matching of people to seats. */
function openGroupSeats(terms: ApprovalTerms, approving: readonly Vote[]): OpenSeats[] {
  const seated = new Map(terms.approver_groups.map(({ group }) => [group, [] as Vote[]]));
  const capacity = new Map(terms.approver_groups.map(({ group, count: seats }) => [group, seats]));
  for (const vote of approving) seat(vote, new Set());
  return terms.approver_groups.map(({ group, count: seats }) => ({
    group,
    count: seats - (seated.get(group)?.length ?? 0),
  }));

  /** Gives the person a seat, moving others to another of their groups where that makes room. */
  function seat(vote: Vote, tried: Set<string>): boolean {
    for (const group of vote.groups) {
      const people = seated.get(group);
      if (people === undefined || tried.has(group)) continue;
      tried.add(group);
      if (people.length < (capacity.get(group) ?? 0)) {
        people.push(vote);
        return true;
      }
      const moved = people.findIndex((other) => seat(other, tried));
      if (moved < 0) continue;
      people[moved] = vote;
      return true;
    }
    return false;
  }
}
