import type { ApprovalView } from '@agentlattice/contracts';
import type { GateResult } from '../commands/gate-result.js';
import { personText } from './person-text.js';
import { safeText } from './safe-text.js';
import { clockText, spanText } from './time-text.js';
import { seatsText, votesText, voteText } from './vote-text.js';

/** Who must decide, the deadline, and the commands to decide. */
export function waitingText(approvalId: string, timeoutAt: string, view: ApprovalView | null): string {
  const left = spanText(Date.parse(timeoutAt) - Date.now());
  return [
    `waiting for approval ${approvalId} until ${clockText(timeoutAt)} (${left} left)`,
    ...(view === null ? [] : [`  needed: ${seatsText(view)}; policy ${safeText(view.policy_name)}`]),
    ...(view === null ? [] : askedLines(view)),
    `  an operator decides: al approvals approve ${approvalId}   or: al approvals deny ${approvalId}`,
  ].join('\n');
}

const askedLines = ({ asked }: ApprovalView): string[] => {
  if (asked === undefined) return [];
  if (asked.count === 0)
    return ['  asked: nobody can decide it as things stand; an administrator can change that'];
  return [`  asked: ${askedText(asked)}`];
};

/** `Ada Novak, Ben Ito and 3 others`. */
function askedText({ count, members }: NonNullable<ApprovalView['asked']>): string {
  const names = members.map(({ id, name }) => personText(id, name));
  const others = count - names.length;
  if (others > 0) return `${names.join(', ')} and ${String(others)} ${others === 1 ? 'other' : 'others'}`;
  return names.join(', ');
}

/** What changed between two readings of a request that waits, a line each. */
export function changesText(before: ApprovalView | null, now: ApprovalView): string[] {
  const key = ({ member_id, decision, at }: ApprovalView['votes'][number]) =>
    `${member_id} ${decision} ${at}`;
  const known = new Set(before?.votes.map(key));
  const stand = new Set(now.votes.map(key));
  return [
    ...now.votes
      .filter((vote) => !known.has(key(vote)))
      .map((vote) => `${voteText(vote)} (${votesText(now)})`),
    ...(before?.votes ?? [])
      .filter((vote) => !stand.has(key(vote)))
      .map(
        ({ member_id, member_name }) =>
          `vote withdrawn by ${personText(member_id, member_name)} (${votesText(now)})`,
      ),
  ];
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
