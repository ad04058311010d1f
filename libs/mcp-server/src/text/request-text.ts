import type { ApprovalView, VotePending } from '@agentlattice/contracts';
import { spanText } from './time-text.js';
import { bounded, quoted, shortened, untrustedPart, visible } from './untrusted.js';

/** How much of what an agent wrote is shown, in characters of JSON. */
export const shown = { inList: 700, alone: 16_000, toPerson: 1_500 } as const;

const openStatuses: ReadonlySet<string> = new Set(['pending', 'escalated']);
export const isOpen = ({ status }: { readonly status: string }): boolean => openStatuses.has(status);

/** What an agent wrote, for programs: apart from the rest, with nothing invisible in it. */
export function writtenByAgent(request: ApprovalView, longest: number) {
  const metadata = bounded(request.metadata, longest);
  const dataAccessed = bounded(request.data_accessed, longest);
  const isCut = metadata.isCut || dataAccessed.isCut;
  return {
    untrusted: true as const,
    agent_name: quotedName(request.agent.name),
    action_type: quotedName(request.action_type),
    reason: agentsReason(request),
    metadata: metadata.value as Record<string, unknown> | null,
    data_accessed: dataAccessed.value as unknown[] | null,
    ...(isCut ? { cut: true as const } : {}),
  };
}

/** Why an agent withdrew its request; the reason of any other ending is a person's. */
export const agentsReason = ({ status, reason }: ApprovalView): string | null =>
  status === 'cancelled' && reason !== null ? keptText(reason) : null;

/** The facts of a request that the system itself vouches for, each in a line. */
export function factLines(request: ApprovalView, link: string): string[] {
  const { policy, policy_name, approvals, denials, cues = [], masked = [] } = request;
  const votes = `${votesText(approvals)} approvals, ${votesText(denials)} denials`;
  return [
    `Request ${request.id}: ${stateText(request)}; ${votes}`,
    `Digest: ${request.action_digest}`,
    `Agent: ${request.agent.id}`,
    `Policy: ${quoted(policy_name)}, version ${String(policy.version)}`,
    `Asked: ${request.created_at}; deadline: ${request.timeout_at}`,
    ...(isOpen(request) ? [`Needed: ${seatsText(request)}`, ...mayDecideLines(request)] : []),
    ...(cues.length === 0
      ? []
      : [`Noticed by the system: ${cues.map(({ kind }) => cueTexts[kind]).join('; ')}`]),
    ...(masked.length === 0
      ? []
      : [`Hidden, because they look like secrets: ${masked.map(visible).join(', ')}`]),
    ...conditionLines(request.conditions_evaluated),
    `Link: ${link}`,
  ];
}

/** The words that agents chose, and their data, as lines of an untrusted part. */
export function agentLines(request: ApprovalView, longest: number): string[] {
  const metadata = bounded(request.metadata, longest);
  const data = bounded(request.data_accessed, longest);
  return [
    `agent name: ${quoted(request.agent.name)}`,
    `action type: ${quoted(request.action_type)}`,
    `metadata: ${metadata.text}`,
    ...(agentsReason(request) === null ? [] : [`reason of the withdrawal: ${quoted(request.reason ?? '')}`]),
    ...(request.data_accessed.length === 0 ? [] : [`data accessed: ${data.text}`]),
    ...(metadata.isCut || data.isCut
      ? ['Not all of it is shown; the page of the request has the rest.']
      : []),
  ];
}

/** One request with everything that a decision needs. */
export function requestText(
  request: ApprovalView,
  { link, mark, longest }: { readonly link: string; readonly mark: string; readonly longest: number },
): string {
  return [...factLines(request, link), untrustedPart(agentLines(request, longest), mark)].join('\n');
}

/** What the person is asked to confirm, in the client's own form: plain text, without markup. */
export function questionText(verb: 'Approve' | 'Deny', request: ApprovalView, link: string): string {
  const metadata = bounded(request.metadata, shown.toPerson);
  const data = bounded(request.data_accessed, shown.toPerson);
  return [
    `${verb} this request?`,
    '',
    `Agent: ${quoted(request.agent.name)} (${request.agent.id})`,
    `Wants to do: ${quoted(request.action_type)}`,
    `Policy: ${quoted(request.policy_name)}, version ${String(request.policy.version)}`,
    `Time left: ${spanText(request.time_left_seconds)}`,
    `Votes: ${votesText(request.approvals)} approvals, ${votesText(request.denials)} denials`,
    `Details by the agent: ${metadata.text}`,
    ...(request.data_accessed.length === 0 ? [] : [`Data accessed, by the agent: ${data.text}`]),
    ...((request.masked ?? []).length === 0 ? [] : ['Some values look like secrets and are hidden.']),
    ...(metadata.isCut || data.isCut
      ? ['Not all details are shown here; read the rest at the link before you decide.']
      : []),
    `Request: ${request.id}, ${link}`,
  ].join('\n');
}

/** How a decision stands: “approved by Ada Novak, 2 of 2 votes”. */
export function decisionText(decision: ApprovalView | VotePending, verb: 'approve' | 'deny'): string {
  if (!('history' in decision)) {
    const { approvals, denials } = decision;
    const counted =
      verb === 'approve' ? `${votesText(approvals)} approvals` : `${votesText(denials)} denials`;
    return `Your vote counts; nothing is decided yet: ${counted}. Needed: ${seatsText(decision)}.`;
  }
  const tally = decision.status === 'denied' ? decision.denials : decision.approvals;
  return `${endingText(decision)}, ${votesText(tally)} votes.`;
}

type Ending = Pick<ApprovalView, 'status' | 'resolved_by' | 'resolved_at' | 'reason' | 'denial_reason'> & {
  readonly resolved_by_name?: string | null | undefined;
};

/** How a request ended: “approved by Ada Novak (mbr_…)”. */
export function endingText({
  status,
  resolved_by,
  resolved_by_name,
  resolved_at,
  reason,
  denial_reason,
}: Ending) {
  const by =
    resolved_by === null
      ? status === 'cancelled'
        ? ' by its agent'
        : ' by the system'
      : ` by ${personText(resolved_by, resolved_by_name)}`;
  return [
    `${status.replace('_', ' ')}${by}`,
    resolved_at === null ? '' : ` at ${resolved_at}`,
    denial_reason === null ? '' : ` (${visible(denial_reason)})`,
    reason === null || reason === denial_reason || status === 'cancelled'
      ? ''
      : `, with the reason ${quoted(reason, 2_000)}`,
  ].join('');
}

/** A name can be any text, for example “the system”; an id cannot. */
export const personText = (id: string, name: string | null | undefined): string =>
  name === null || name === undefined ? visible(id) : `${quotedName(name)} (${visible(id)})`;

/** Names of people and agents, without quotation marks of their own. */
export const quotedName = (name: string): string => shortened(name);

/** Reasons and notes, as long as the API takes them, without quotation marks of their own. */
export const keptText = (text: string): string => shortened(text, 2_000);

export const votesText = ({ have, need }: { readonly have: number; readonly need: number }): string =>
  `${String(have)} of ${String(need)}`;

export function seatsText({ seats_open }: Pick<ApprovalView, 'seats_open'>): string {
  if (seats_open.length === 0) return 'nobody further';
  return seats_open
    .map(({ group, count }) => {
      const people = `${String(count)} ${count === 1 ? 'person' : 'people'}`;
      return group === null ? people : `${people} of the group ${quoted(group)}`;
    })
    .join(' and ');
}

const stateText = (request: ApprovalView) =>
  isOpen(request) ? `${request.status}, ${spanText(request.time_left_seconds)} left` : endingText(request);

function mayDecideLines({ can_decide, completes, cannot_decide_reason }: ApprovalView): string[] {
  if (can_decide === undefined) return [];
  if (can_decide)
    return [`You may decide it; your approval ${completes === true ? 'completes' : 'does not complete'} it.`];
  return [`You may not decide it: ${visible(cannot_decide_reason?.text ?? 'the reason is not known')}`];
}

const conditionLines = (conditions: ApprovalView['conditions_evaluated']) =>
  conditions.length === 0
    ? []
    : [
        `Conditions of the policy: ${conditions
          .slice(0, 20)
          .map(
            ({ field, operator, expected, result }) =>
              `${quoted(field)} ${visible(operator)} ${bounded(expected ?? null, 120).text} ${result ? 'holds' : 'fails'}`,
          )
          .join('; ')}`,
      ];

const cueTexts: Readonly<Record<NonNullable<ApprovalView['cues']>[number]['kind'], string>> = {
  first_time: 'the first request of its kind',
  largest: 'a value is larger than in all earlier requests',
  new_value: 'a value was not seen before',
  looks_like: 'a name looks like another one',
  recent_denials: 'such requests were denied lately',
  repeats: 'the same was asked before',
  last_approved: 'a person approved the last one',
};
