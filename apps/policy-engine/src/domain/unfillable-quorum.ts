import type { OperatorRole, PolicyContent } from '@agentlattice/contracts';

/** As much of a member as says where it may sit. */
export interface Seatable {
  readonly member_id: string;
  readonly role: OperatorRole;
  readonly groups: readonly string[];
}

/**
 * What the members of a workspace cannot give that a policy asks for (decisions §4.5), in sentences; empty when they can.
 * Whose agent asks is not known yet, so an owner who may not decide is not counted out.
 */
export function unfillableSeats(
  policy: PolicyContent,
  members: readonly Seatable[],
  authors: readonly (string | null | undefined)[],
): string[] {
  const asks = policy.effect === 'require_approval' || policy.effect === 'conditional';
  if (!asks || !policy.active || policy.mode === 'shadow') return [];
  const { approver_groups: groups, approvals_required, separation_of_duties } = policy;
  const inGroup = ({ groups: own }: Seatable) => groups.some(({ group }) => own.includes(group));
  const may = members.filter(
    (member) => member.role !== 'viewer' && (groups.length === 0 || inGroup(member)),
  );
  const warnings = groups.flatMap(({ group, count }) => {
    const there = may.filter((member) => member.groups.includes(group)).length;
    return there >= count
      ? []
      : [
          `${people(count)} of "${group}" must approve, but ${there === 0 ? 'nobody' : `only ${String(there)}`} in it may.`,
        ];
  });
  const seats = groups.reduce((sum, { count }) => sum + count, 0);
  const need = Math.max(approvals_required, seats);
  if (may.length < need)
    warnings.push(
      `${people(need)} must approve, but ${may.length === 0 ? 'nobody' : `only ${String(may.length)}`} may.`,
    );
  if (warnings.length === 0 && filled(groups, may) < seats)
    warnings.push(
      'Every seat of a group needs a person of its own, but too many of them are in the same groups.',
    );
  if (warnings.length > 0 || !separation_of_duties) return warnings;
  const others = may.filter(({ role, member_id }) => role === 'admin' && !authors.includes(member_id));
  return others.length >= need && filled(groups, others) === seats
    ? []
    : [
        'Requests of agents without owner cannot be decided: too few administrators may who did not write the policy.',
      ];
}

/** How many seats of groups different people can take: a maximum matching. */
function filled(groups: PolicyContent['approver_groups'], members: readonly Seatable[]): number {
  const seated = new Map(groups.map(({ group }) => [group, [] as Seatable[]]));
  const seats = new Map(groups.map(({ group, count }) => [group, count]));
  return members.filter((member) => seat(member, new Set())).length;

  /** Gives the person a seat, moving others to another of their groups where that makes room. */
  function seat(member: Seatable, tried: Set<string>): boolean {
    for (const group of member.groups) {
      const there = seated.get(group);
      if (there === undefined || tried.has(group)) continue;
      tried.add(group);
      if (there.length < (seats.get(group) ?? 0)) return there.push(member) > 0;
      const mover = there.findIndex((other) => seat(other, tried));
      if (mover < 0) continue;
      there[mover] = member;
      return true;
    }
    return false;
  }
}

const people = (count: number) => (count === 1 ? '1 person' : `${String(count)} people`);
