import type { KeyRef, Vote } from '@agentlattice/contracts';
import { deciderSpec } from '@agentlattice/decider';
import { typeid } from 'typeid-js';
import type { ApprovalEvent } from '../src/domain/approval.js';
import { approvalDecider } from '../src/domain/approval-decider.js';
import type { Approve, Deny, WithdrawVote } from '../src/domain/decide-vote.js';
import type { Person } from '../src/domain/may-decide.js';
import { openedData } from '../src/outbound/approval-rows.js';
import { requested } from './approval-fixture.js';

/** Events and commands of one request, for given/when/then. */
export const given = deciderSpec(approvalDecider);

export const opened = openedData(requested('org_01jd7e5sqcfnmrq9yh4qvxw2k3', 60 * 60_000));
type Terms = typeof opened.terms;

export const { approval_id, audit_event_id, action_type, policy, timeout_at } = opened;
export const agent: typeof opened.agent = opened.agent;
export const subject = { approval_id, audit_event_id, agent, action_type, policy };
export const owner = typeid('mbr').toString();

/** This many milliseconds after the request was made. */
export const at = (ms: number) => new Date(Date.parse(opened.requested_at) + ms);
export const deadline = new Date(timeout_at);
export const grantExpiresAt = at(900_000);

export const wasOpened = (
  terms: Partial<Terms> = {},
  by = agent,
  asked_with_key: KeyRef | null = null,
): ApprovalEvent => ({
  type: 'approval.opened',
  data: { ...opened, agent: by, asked_with_key, terms: { ...opened.terms, approvals_required: 1, ...terms } },
});

export const person = (changes: Partial<Person> = {}): Person => ({
  memberId: typeid('mbr').toString(),
  role: 'member',
  groups: [],
  since: at(-1_000),
  ...changes,
});

export const approve = (by: Person, changes: Partial<Approve> = {}): Approve => ({
  type: 'Approve',
  by,
  key: null,
  forever: null,
  policyVersion: null,
  grantExpiresAt,
  now: at(1_000),
  ...changes,
});
export const deny = (by: Person, now = at(1_000), key: KeyRef | null = null): Deny => ({
  type: 'Deny',
  by,
  key,
  now,
});
export const withdraw = (by: Person, now = at(1_000), key: WithdrawVote['key'] = null): WithdrawVote => ({
  type: 'WithdrawVote',
  by,
  key,
  now,
});

export const voteOf = (by: Person, changes: Partial<Vote> = {}): Vote => ({
  member_id: by.memberId,
  decision: 'approve',
  groups: [...by.groups],
  at: at(1_000).toISOString(),
  forever_for: null,
  key: null,
  ...changes,
});

export const voted = (
  vote: Vote,
  approvals: [number, number],
  denials: [number, number] = [0, 1],
): ApprovalEvent => ({
  type: 'approval.vote_cast',
  data: { ...subject, vote, approvals: tally(approvals), denials: tally(denials) },
});
export const withdrawn = (by: Person, approvals: [number, number]): ApprovalEvent => ({
  type: 'approval.vote_withdrawn',
  data: { ...subject, member_id: by.memberId, approvals: tally(approvals), denials: tally([0, 1]) },
});
const tally = ([have, need]: [number, number]) => ({ have, need });

type Approved = Extract<ApprovalEvent, { type: 'approval.approved' }>['data'];
export const wasApproved = (votes: Vote[], changes: Partial<Approved> = {}, by = agent): ApprovalEvent => ({
  type: 'approval.approved',
  data: {
    ...subject,
    agent: by,
    votes,
    change: null,
    action_digest: opened.action_digest,
    scope: 'once',
    forever_for: null,
    forever_by: null,
    grant_expires_at: grantExpiresAt.toISOString(),
    ...changes,
  },
});

type Denied = Extract<ApprovalEvent, { type: 'approval.denied' }>['data'];
export const wasDenied = (votes: Vote[], changes: Partial<Denied> = {}): ApprovalEvent => ({
  type: 'approval.denied',
  data: { ...subject, votes, change: null, denial_reason: 'DENIED_BY_REVIEWER', ...changes },
});
export const cancelled: ApprovalEvent = {
  type: 'approval.cancelled',
  data: { ...subject, suspension: null },
};
export const timedOut: ApprovalEvent = { type: 'approval.timed_out', data: { ...subject, timeout_at } };
