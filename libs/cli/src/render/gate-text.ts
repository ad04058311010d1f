import type { ApprovalView } from '@agentlattice/contracts';
import type { GateResult } from '../commands/gate-result.js';
import { personText } from './person-text.js';
import { safeText } from './safe-text.js';
import { clockText, spanText } from './time-text.js';

/** Who must decide, the deadline, and the commands to decide. */
export function waitingText(approvalId: string, timeoutAt: string, view: ApprovalView | null): string {
  const left = spanText(Date.parse(timeoutAt) - Date.now());
  return [
    `waiting for approval ${approvalId} until ${clockText(timeoutAt)} (${left} left)`,
    ...(view === null ? [] : [`  needed: ${seatsText(view)}; policy ${safeText(view.policy_name)}`]),
    `  an operator decides: al approvals approve ${approvalId}   or: al approvals deny ${approvalId}`,
  ].join('\n');
}

/** `2 people, 1 of them of release-managers`. */
export function seatsText({ approvals, seats_open }: Pick<ApprovalView, 'approvals' | 'seats_open'>): string {
  const open = Math.max(0, approvals.need - approvals.have);
  const people = open === 1 ? '1 person' : `${String(open)} people`;
  const groups = seats_open.flatMap(({ group, count }) =>
    group === null ? [] : [`${String(count)} of ${safeText(group)}`],
  );
  return groups.length === 0 ? people : `${people}, among them ${groups.join(' and ')}`;
}

/** One sentence on the result. */
export function gateText(result: GateResult): string {
  const { status, action_type, stopped, approval_id } = result;
  const action = safeText(action_type);
  const resolver =
    result.resolved_by === null ? 'the system' : personText(result.resolved_by, result.resolved_by_name);
  const reason = result.reason === null ? '' : `: ${safeText(result.reason)}`;
  const policy = result.policy_name === null ? '' : ` by the policy ${safeText(result.policy_name)}`;
  const halted =
    stopped === null
      ? ''
      : stopped.kind === 'timeout'
        ? ' (--timeout is over)'
        : ` (stopped by ${stopped.signal})`;
  if (result.grant_fault !== null)
    return `${status}, but not let through: ${result.grant_fault} (${action}${approval_id === null ? '' : `, ${approval_id}`})`;
  switch (status) {
    case 'executed':
      return `allowed${policy}: ${action}${halted}`;
    case 'approved':
      return `approved by ${resolver}${reason}${halted}`;
    case 'denied':
      return result.approval_id === null
        ? `denied${policy}: ${action} (${result.denial_reason ?? ''})`
        : `denied by ${resolver}${reason} (${result.denial_reason ?? ''})`;
    case 'policy_not_found':
      return `denied: no policy matches ${action}, and what no policy names is denied; an administrator can add one`;
    case 'timed_out':
      return `timed out: nobody decided ${approval_id ?? ''} in time`;
    case 'cancelled':
      return `cancelled: ${approval_id ?? ''}${halted}`;
    case 'pending':
      return `not waiting any longer${halted}; ${approval_id ?? ''} may still be decided`;
    case 'unknown':
      return `stopped before the system answered${halted}`;
  }
}
