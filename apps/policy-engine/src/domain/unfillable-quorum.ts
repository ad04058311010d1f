import type { OperatorRole, PolicyContent } from '@agentlattice/contracts';
import { isFilled, openSeats } from '@agentlattice/quorum';

/** The facts that decide which seats of a quorum a member may take. */
export interface Seatable {
  readonly member_id: string;
  readonly role: OperatorRole;
  readonly groups: readonly string[];
}

/**
 * Warnings, as sentences, that the members of a workspace cannot fill the quorum of a policy (decisions §4.5); empty when they can.
 * The agent of a later request is not known yet, so its owner is counted although separation of duties may exclude the owner.
 */
export function unfillableSeats(
  policy: PolicyContent,
  members: readonly Seatable[],
  authors: readonly (string | null | undefined)[],
): string[] {
  const asks = policy.effect === 'require_approval' || policy.effect === 'conditional';
  if (!asks || !policy.active || policy.mode === 'shadow') return [];
  const { approver_groups: groups, separation_of_duties } = policy;
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
  const open = openSeats(policy, may);
  const { need } = open;
  if (may.length < need)
    warnings.push(
      `${people(need)} must approve, but ${may.length === 0 ? 'nobody' : `only ${String(may.length)}`} may.`,
    );
  if (warnings.length === 0 && !isFilled(open))
    warnings.push(
      'Every seat of a group needs a person of its own, but too many of them are in the same groups.',
    );
  if (warnings.length > 0 || !separation_of_duties) return warnings;
  const others = may.filter(({ role, member_id }) => role === 'admin' && !authors.includes(member_id));
  return isFilled(openSeats(policy, others))
    ? []
    : [
        'Requests of agents without owner cannot be decided: too few administrators may who did not write the policy.',
      ];
}

const people = (count: number) => (count === 1 ? '1 person' : `${String(count)} people`);
