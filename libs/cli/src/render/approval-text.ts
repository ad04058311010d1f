import type { ApprovalView, VotePending } from '@agentlattice/contracts';
import { columnsText } from './columns.js';
import { conditionText } from './condition-text.js';
import { factsText } from './facts-text.js';
import { seatsText, voteText } from './vote-text.js';
import { personText } from './person-text.js';
import { safeJson, safeText, shortText } from './safe-text.js';
import { noStyle, type Style, statusStyle } from './style.js';
import { clockText, spanText } from './time-text.js';

const open: ReadonlySet<string> = new Set(['pending', 'escalated']);
const limits = { lines: 60, characters: 1_000 } as const;

/** The queue as a table. */
export function approvalsText(
  approvals: readonly ApprovalView[],
  width: number,
  now: number,
  style: Style = noStyle,
): string {
  // When all are open, the column would be useless.
  const stands = approvals.some(({ status }) => !open.has(status));
  const columns = [
    { head: 'ID' },
    { head: 'ACTION', shrinksTo: 16 },
    { head: 'AGENT', shrinksTo: 8 },
    { head: 'POLICY', shrinksTo: 8, optional: true as const },
    ...(stands ? [{ head: 'STATUS', paint: statusStyle(style) }] : []),
    { head: 'AGE', optional: true as const },
    { head: 'TIME LEFT' },
  ];
  const rows = approvals.map((approval) => [
    approval.id,
    safeText(approval.action_type),
    shortText(approval.agent.name, 80),
    shortText(approval.policy_name, 80),
    ...(stands ? [approval.status] : []),
    spanText(now - Date.parse(approval.created_at)),
    leftText(approval),
  ]);
  return columnsText(columns, rows, width, style);
}

const leftText = ({ status, time_left_seconds: left }: ApprovalView) =>
  open.has(status) ? spanText(left * 1_000) : '–';

/** One request with everything that a person needs to decide. */
export function approvalText(approval: ApprovalView, style: Style = noStyle): string {
  const { approvals, denials } = approval;
  const isOpen = open.has(approval.status);
  const facts: [string, string][] = [
    ['Request', approval.id],
    [
      'Status',
      statusStyle(style)(approval.status) +
        (approval.escalation_level > 0 ? ` (level ${String(approval.escalation_level)})` : ''),
    ],
    ['Action', safeText(approval.action_type)],
    ['Agent', `${safeText(approval.agent.name)} (${approval.agent.id})`],
    ['Policy', `${safeText(approval.policy_name)}, version ${String(approval.policy.version)}`],
    ['Asked', clockText(approval.created_at)],
    ['Deadline', clockText(approval.timeout_at) + (isOpen ? ` (${leftText(approval)} left)` : '')],
    [
      'Votes',
      `${String(approvals.have)} of ${String(approvals.need)} approvals, ${String(denials.have)} of ${String(denials.need)} denials`,
    ],
    ...(isOpen ? [['Needed', seatsText(approval)] as [string, string]] : []),
    ...(approval.resolved_at === null ? [] : [['Decided', decisionText(approval)] as [string, string]]),
    ['Digest', approval.action_digest],
    ...(approval.masked?.length
      ? [['Hidden', `${approval.masked.map(safeText).join(', ')} (looks like a secret)`] as [string, string]]
      : []),
  ];
  return [
    factsText(facts, style),
    ...section('What the agent says (metadata)', memberLines(approval.metadata)),
    ...section('Data accessed', memberLines(approval.data_accessed)),
    ...section('Conditions', approval.conditions_evaluated.map(conditionText)),
    ...section('Votes', approval.votes.map(voteText)),
    ...section('History', approval.history.map(historyText)),
  ].join('\n');
}

/** The result of a decision. */
export function decidedText(decision: ApprovalView | VotePending): string {
  if (!('history' in decision)) {
    const { approvals, denials, approval_id } = decision;
    return `${approval_id}: your vote counts; ${String(approvals.have)} of ${String(approvals.need)} approvals, ${String(denials.have)} of ${String(denials.need)} denials; still needed: ${seatsText(decision)}`;
  }
  const { id, status, resolved_by, resolved_by_name, action_type, agent } = decision;
  const by = resolved_by === null ? '' : ` by ${personText(resolved_by, resolved_by_name)}`;
  return `${id}: ${status}${by}: ${safeText(action_type)} of ${safeText(agent.name)}`;
}

type Ending = Pick<
  ApprovalView,
  'status' | 'resolved_at' | 'resolved_by' | 'resolved_by_name' | 'reason' | 'denial_reason'
>;

/** The time, the person and the reason of a decision. */
export const decisionText = (ending: Ending & Partial<Pick<ApprovalView, 'scope'>>): string =>
  `${ending.resolved_at === null ? '' : `${clockText(ending.resolved_at)} `}${endingText(ending)}`;

/** The person and the reason of a decision. */
export const endingText = ({
  status,
  resolved_by,
  resolved_by_name,
  reason,
  denial_reason,
  scope = null,
}: Ending & Partial<Pick<ApprovalView, 'scope'>>): string =>
  [
    `by ${resolved_by === null ? resolverText(status) : personText(resolved_by, resolved_by_name)}`,
    scope === 'forever' ? 'forever' : '',
    denial_reason ?? '',
    reason === null || reason === denial_reason ? '' : `“${safeText(reason)}”`,
  ]
    .filter((part) => part !== '')
    .join(' ');

/** The actor that ended a request without a person's decision. */
const resolverText = (status: ApprovalView['status']) =>
  status === 'cancelled' ? 'the agent' : 'the system';

const section = (title: string, lines: readonly string[]) =>
  lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];

/** Each member or item on its own line, so that it is easy to read. */
function memberLines(value: Readonly<Record<string, unknown>> | readonly unknown[]): string[] {
  const lines = Array.isArray(value)
    ? value.map((item) => safeJson(item))
    : Object.entries(value).map(([name, member]) => `${safeText(name)}: ${safeJson(member)}`);
  const shown = lines
    .slice(0, limits.lines)
    .map((line) => (line.length > limits.characters ? `${line.slice(0, limits.characters)}… (cut)` : line));
  const hidden = lines.length > limits.lines || lines.some((line) => line.length > limits.characters);
  return hidden ? [...shown, `… not all of it is shown; --json shows it`] : shown;
}

const historyText = ({ type, at, operator, reason, note }: ApprovalView['history'][number]) =>
  [
    clockText(at),
    safeText(type.replace(/^approval\./, '')),
    operator === null ? '' : `by ${personText(operator.id, operator.name)} via ${safeText(operator.via)}`,
    reason === null ? '' : `“${safeText(reason)}”`,
    note === null ? '' : safeText(note),
  ]
    .filter((part) => part !== '')
    .join('  ');
