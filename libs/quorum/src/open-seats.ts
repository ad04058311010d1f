/** How many members of a group must approve. */
export interface GroupSeats {
  readonly group: string;
  readonly count: number;
}

/** The quorum of a policy: a number of different people, and a different person on every seat of a group. */
export interface QuorumRule {
  readonly approvals_required: number;
  readonly approver_groups: readonly GroupSeats[];
}

/** The groups of a person, which decide the seats that the person can take. */
export interface Voter {
  readonly groups: readonly string[];
}

/** The part of the quorum that is missing. */
export interface OpenSeats {
  /** How many people are needed in total. Seats of groups count, so it may be more than `approvals_required`. */
  readonly need: number;
  /** Seats that stay open, for each group of the rule in its order. */
  readonly groups: readonly GroupSeats[];
  /** How many people of any group are missing, in addition to the open seats of groups. */
  readonly others: number;
}

/**
 * Seats that stay open when as many seats of groups as possible are filled. Each voter takes one seat at most and counts
 * once towards `approvals_required`.
 */
export function openSeats(rule: QuorumRule, voters: readonly Voter[]): OpenSeats {
  const filled = fillSeats(rule.approver_groups, voters);
  const groups = rule.approver_groups.map(({ group, count }) => ({
    group,
    count: count - (filled.get(group)?.length ?? 0),
  }));
  const need = Math.max(rule.approvals_required, total(rule.approver_groups));
  return { need, groups, others: Math.max(0, need - voters.length - total(groups)) };
}

/** Whether the quorum is complete. */
export const isFilled = ({ groups, others }: OpenSeats) => others === 0 && total(groups) === 0;

const total = (seats: readonly GroupSeats[]) => seats.reduce((sum, { count }) => sum + count, 0);

/** A maximum bipartite matching of voters to seats, by augmenting paths. */
function fillSeats(rule: readonly GroupSeats[], voters: readonly Voter[]): ReadonlyMap<string, Voter[]> {
  const seated = new Map(rule.map(({ group }) => [group, [] as Voter[]]));
  const capacity = new Map(rule.map(({ group, count }) => [group, count]));
  for (const voter of voters) seat(voter, new Set());
  return seated;

  /** Gives the voter a seat; moves others to another of their groups if that frees a seat. */
  function seat(voter: Voter, tried: Set<string>): boolean {
    for (const group of voter.groups) {
      const there = seated.get(group);
      if (there === undefined || tried.has(group)) continue;
      tried.add(group);
      if (there.length < (capacity.get(group) ?? 0)) {
        there.push(voter);
        return true;
      }
      const moved = there.findIndex((other) => seat(other, tried));
      if (moved < 0) continue;
      there[moved] = voter;
      return true;
    }
    return false;
  }
}
