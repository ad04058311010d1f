import type { EventData, KeyRef, PolicyChange, Vote } from '@agentlattice/contracts';
import { Refused } from '@agentlattice/decider';
import { type ApprovalEvent, evolve, isOpen, type KnownApproval } from './approval.js';
import { type Person, groupsUnder, whyNot } from './may-decide.js';
import { possibleActors } from './key-holders.js';
import { count, countingVotes } from './tally.js';

export interface Approve {
  readonly type: 'Approve';
  readonly by: Person;
  /** The key of the vote; null for a vote without one. */
  readonly key: KeyRef | null;
  /** Null: once. */
  readonly forever: Vote['forever_for'];
  /** The version of the policy that the person has read; null decides under any version. */
  readonly policyVersion: number | null;
  readonly grantExpiresAt: Date;
  readonly now: Date;
  /** How long the person had the request on the screen; undefined where the client does not say it. */
  readonly seenMs?: number | undefined;
}
export interface Deny {
  readonly type: 'Deny';
  readonly by: Person;
  readonly key: KeyRef | null;
  readonly seenMs?: number | undefined;
  readonly now: Date;
}
export interface WithdrawVote {
  readonly type: 'WithdrawVote';
  readonly by: Person;
  readonly key: KeyRef | null;
  readonly now: Date;
}

/** How often one person may withdraw a vote on one request: its history must stay readable. */
export const mostWithdrawals = 10;

/** @throws Refused in the order of decisions §5: first forbidden commands, then late ones */
export function decideVote(command: Approve | Deny, state: KnownApproval): readonly ApprovalEvent[] {
  const { by, now, seenMs } = command;
  const forever = command.type === 'Approve' ? command.forever : null;
  const refused =
    whyNot(state, by, command.key) ??
    (forever !== null && by.role !== 'admin'
      ? new Refused('FORBIDDEN', 'only an administrator approves for ever')
      : null) ??
    whyClosed(state, now) ??
    (command.type === 'Approve' ? whyOtherVersion(command, state) : null) ??
    whyVoted(state, by);
  if (refused !== null) throw refused;
  const vote: Vote = {
    member_id: by.memberId,
    decision: command.type === 'Approve' ? 'approve' : 'deny',
    groups: groupsUnder(state.terms, by.groups),
    at: now.toISOString(),
    forever_for: forever,
    key: command.key,
    ...(seenMs === undefined ? {} : { seen_ms: seenMs }),
  };
  const { approvals, denials } = count(state.terms, [...state.votes, vote]);
  const cast: ApprovalEvent = {
    type: 'approval.vote_cast',
    data: { ...state.subject, vote, approvals, denials },
  };
  const after = evolve(state, cast) as KnownApproval;
  const end = completed(after, null, command.type === 'Approve' ? command.grantExpiresAt : now);
  return [end ?? cast];
}

export function decideWithdrawal(
  { by, key, now }: WithdrawVote,
  state: KnownApproval,
): readonly ApprovalEvent[] {
  if (by.role === 'viewer') throw new Refused('FORBIDDEN', 'a viewer decides nothing');
  checkOpen(state, now);
  const standing = state.votes.find((vote) => vote.member_id === by.memberId);
  if (standing === undefined) throw new Refused('NO_VOTE', 'you have no standing vote on this request');
  // Another holder of this person's key must not withdraw a vote that this holder cannot have cast.
  const withdrawing = possibleActors(by.memberId, key);
  const cast = possibleActors(standing.member_id, standing.key);
  if (!withdrawing.every((member) => cast.includes(member)))
    throw new Refused(
      'FORBIDDEN',
      'the key you withdraw with is held by people who did not hold the key of the vote; withdraw the vote with a key of your own',
    );
  const votes = state.votes.filter((vote) => vote !== standing);
  // A vote that another holder of the key may have cast can always be withdrawn by the person.
  const own = withdrawing.length === cast.length;
  if (own && (state.withdrawals.get(by.memberId) ?? 0) >= mostWithdrawals)
    throw new Refused(
      'TOO_MANY_WITHDRAWALS',
      `you withdrew ${String(mostWithdrawals)} votes on this request; this one stands`,
    );
  const { approvals, denials } = count(state.terms, votes);
  return [
    {
      type: 'approval.vote_withdrawn',
      data: { ...state.subject, member_id: by.memberId, approvals, denials },
    },
  ];
}

/** Why this person's vote for this request once, or against it, would be refused now; null if it would be taken. */
export const whyNoVote = (
  state: KnownApproval,
  { by, key, now }: Pick<Deny, 'by' | 'key' | 'now'>,
): Refused | null => whyNot(state, by, key) ?? whyClosed(state, now) ?? whyVoted(state, by);

const whyVoted = (state: KnownApproval, { memberId }: Person): Refused | null =>
  state.votes.some((vote) => vote.member_id === memberId)
    ? new Refused('ALREADY_VOTED', 'you have voted on this request; withdraw the vote to vote anew')
    : null;

/** @throws Refused once it has ended or its deadline is past, even if no timer fired */
export function checkOpen(state: KnownApproval, now: Date): void {
  const refused = whyClosed(state, now);
  if (refused !== null) throw refused;
}

function whyClosed(state: KnownApproval, now: Date): Refused | null {
  const { status, timeoutAt } = state;
  if (status === 'timed_out' || (isOpen(state) && isLate(state, now)))
    return new Refused('APPROVAL_TIMED_OUT', `the request could be decided until ${timeoutAt}`, {
      extra: { timeout_at: timeoutAt },
    });
  return isOpen(state) ? null : new Refused('APPROVAL_ALREADY_DECIDED', `the request is ${status} already`);
}

export const isLate = ({ timeoutAt }: KnownApproval, now: Date) => now.getTime() >= Date.parse(timeoutAt);

function whyOtherVersion({ policyVersion }: Approve, { subject: { policy } }: KnownApproval): Refused | null {
  const { id, name, version } = policy;
  return policyVersion === null || policyVersion === version
    ? null
    : new Refused('POLICY_CHANGED', `version ${String(version)} of "${name}" governs by now`, {
        extra: { policy: { id, name, version } },
      });
}

/** How the votes end the request; null while they do not. A complete denial takes precedence over a complete approval. */
export function completed(
  state: KnownApproval,
  change: PolicyChange | null,
  grantExpiresAt: Date,
): ApprovalEvent | null {
  const { complete } = count(state.terms, state.votes);
  const votes = [...state.votes];
  if (complete === 'approved') return approved(state, { votes, change, grantExpiresAt });
  return complete === null ? null : denied(state, { votes, change, denial_reason: 'DENIED_BY_REVIEWER' });
}

export function approved(
  state: KnownApproval,
  { grantExpiresAt, ...how }: { votes: Vote[]; change: PolicyChange | null; grantExpiresAt: Date },
): ApprovalEvent {
  const forever = countingVotes(how.votes).findLast(
    (vote) => vote.decision === 'approve' && vote.forever_for !== null,
  );
  return {
    type: 'approval.approved',
    data: {
      ...state.subject,
      ...how,
      action_digest: state.digest,
      scope: forever === undefined ? 'once' : 'forever',
      forever_for: forever?.forever_for ?? null,
      forever_by: forever?.member_id ?? null,
      grant_expires_at: grantExpiresAt.toISOString(),
    },
  };
}

export const denied = (
  { subject }: KnownApproval,
  how: Pick<EventData<'approval.denied'>, 'votes' | 'change' | 'denial_reason'>,
): ApprovalEvent => ({ type: 'approval.denied', data: { ...subject, ...how } });
