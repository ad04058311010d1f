import type { OutgoingEvent } from '@agentlattice/contracts';

/** An event as channels get it; the type of a test is not a type of real events. */
export type CloudEvent = Omit<OutgoingEvent, 'type'> & {
  readonly type: OutgoingEvent['type'] | 'channel.test';
};

interface Fact {
  readonly label: string;
  readonly value: string;
}

/** The content of a mail before it is rendered. Every value is one line of harmless characters. */
export interface MailContent {
  readonly subject: string;
  readonly heading: string;
  readonly facts: readonly Fact[];
  /** Chosen by the author of the agent, so it is shown separately. */
  readonly fromAgent: readonly Fact[];
  readonly link: { readonly label: string; readonly url: string } | null;
}

type Data = Readonly<Record<string, unknown>>;

/** The mail about an event, made from its references alone. */
export function mailContent(event: CloudEvent, publicUrl: string): MailContent {
  const { data } = event;
  const agent = isRecord(data['agent']) ? text(data['agent']['name']) : null;
  const actionType = text(data['action_type']);
  const isApproval = event.type.startsWith('approval.');
  return {
    subject: line(isApproval ? `${headingOf(event)}: ${actionType ?? event.subject}` : headingOf(event), 150),
    heading: headingOf(event),
    facts: facts([
      ['Policy', isRecord(data['policy']) ? text(data['policy']['name']) : text(data['name'])],
      ['Level', event.type === 'approval.escalated' ? text(data['level']) : null],
      ['Deadline', moment(data['timeout_at'])],
      ['Reason', text(data['denial_reason']) ?? text(data['reason'])],
      ['Time', moment(event.time)],
      [isApproval ? 'Request' : 'About', text(event.subject)],
    ]),
    fromAgent: facts([
      ['Action', actionType],
      ['Agent', agent],
    ]),
    link: isApproval
      ? {
          label: 'Open the request',
          url: `${publicUrl}/approvals/${encodeURIComponent(event.subject)}`,
        }
      : null,
  };
}

/** The mail that invites a person. The names were written by an administrator. */
export const invitationContent = (invitation: {
  readonly name: string;
  readonly workspace_name: string;
  readonly invited_by: string | null;
  readonly link: string;
  readonly expires_at: string;
}): MailContent => ({
  subject: line(`Invitation to ${invitation.workspace_name}`, 150),
  heading: line(`You are invited to the workspace ${invitation.workspace_name}`, 200),
  facts: facts([
    ['For', invitation.name],
    ['Invited by', invitation.invited_by],
    ['Valid until', moment(invitation.expires_at)],
  ]),
  fromAgent: [],
  link: { label: 'Accept the invitation', url: invitation.link },
});

/** The content as it is stored and shown: without its link, which is only for the receiver of the mail. */
export const withoutLink = ({ link, ...content }: MailContent): MailContent => ({
  ...content,
  facts: [...content.facts, ...(link === null ? [] : [{ label: link.label, value: '[link removed]' }])],
  link: null,
});

function headingOf({ type, data }: CloudEvent): string {
  switch (type) {
    case 'approval.requested':
      return 'Approval needed';
    case 'approval.escalated':
      return 'Escalated: approval still needed';
    case 'approval.approved':
      return 'Approved';
    case 'approval.denied':
      return 'Denied';
    case 'approval.timed_out':
      return 'Nobody decided in time';
    case 'approval.cancelled':
      return 'Cancelled by the agent';
    case 'approval.auto_resolved':
      return data['decision'] === 'approved' ? 'Approved by the system' : 'Denied by the system';
    case 'policy.changed':
      return 'A policy changed';
    case 'policy.tampering_detected':
      return 'A policy was changed behind the log’s back';
    case 'action.denied':
      return 'An action was denied';
    case 'action.executed':
      return 'An action was allowed';
    case 'delegation.expired':
      return 'A delegation expired';
    case 'delegation.revoked':
      return 'A delegation was revoked';
    case 'agent.suspended':
      return 'An agent was suspended';
    case 'endpoint.disabled':
      return 'A channel was disabled';
    case 'channel.test':
      return 'A test of this channel';
  }
}

const facts = (pairs: readonly (readonly [string, string | null])[]): Fact[] =>
  pairs.flatMap(([label, value]) => (value === null ? [] : [{ label, value: line(value, 300) }]));

const text = (value: unknown) =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : null;

const moment = (value: unknown) =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value))
    ? `${new Date(value).toISOString().slice(0, 16).replace('T', ' ')} UTC`
    : null;

/** One line of limited length without control characters, invisible characters and changes of the writing direction. */
export function line(value: string, max: number): string {
  const clean = value
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const letters = [...clean];
  return letters.length > max ? `${letters.slice(0, max - 1).join('')}…` : clean;
}

const isRecord = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
