import type { ApprovalView } from '@agentlattice/contracts';
import { personText } from './person-text.js';
import { safeText } from './safe-text.js';

/** `2 people, 1 of them of release-managers`. */
export function seatsText({ approvals, seats_open }: Pick<ApprovalView, 'approvals' | 'seats_open'>): string {
  const open = Math.max(0, approvals.need - approvals.have);
  const people = open === 1 ? '1 person' : `${String(open)} people`;
  const groups = seats_open.flatMap(({ group, count }) =>
    group === null ? [] : [`${String(count)} of ${safeText(group)}`],
  );
  return groups.length === 0 ? people : `${people}, among them ${groups.join(' and ')}`;
}

/** The votes in one phrase: `1 of 2 approvals`. */
export const votesText = ({ approvals, denials }: Pick<ApprovalView, 'approvals' | 'denials'>): string =>
  `${String(approvals.have)} of ${String(approvals.need)} approvals` +
  (denials.have > 0 ? `, ${String(denials.have)} of ${String(denials.need)} denials` : '');

/** `approved by Ada Novak of release-managers: “Ship it”`. */
export const voteText = ({
  member_id,
  member_name,
  decision,
  groups = [],
  reason,
  counts,
}: ApprovalView['votes'][number]) =>
  [
    `${decision === 'approve' ? 'approved' : 'denied'} by ${personText(member_id, member_name)}`,
    groups.length === 0 ? '' : ` of ${groups.map(safeText).join(', ')}`,
    counts ? '' : ' (does not count: another vote may be of the same person)',
    reason === null ? '' : `: “${safeText(reason)}”`,
  ].join('');
