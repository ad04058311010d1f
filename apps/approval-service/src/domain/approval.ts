import type {
  ApprovalTerms,
  DenialReason,
  DomainEvent,
  EventData,
  KeyRef,
  Vote,
} from '@agentlattice/contracts';
import { assertNever } from '@agentlattice/decider';
import { votesUnder } from './may-decide.js';

export type ApprovalEvent = DomainEvent<
  | 'approval.opened'
  | 'approval.vote_cast'
  | 'approval.vote_withdrawn'
  | 'approval.escalated'
  | 'approval.policy_changed'
  | 'approval.approved'
  | 'approval.denied'
  | 'approval.cancelled'
  | 'approval.timed_out'
  | 'approval.grant_consumed'
>;

/** The subject of an approval; part of every event of the approval. */
export type ApprovalSubject = Omit<EventData<'approval.cancelled'>, 'suspension'>;

export interface KnownApproval {
  readonly status: 'pending' | 'escalated' | 'approved' | 'denied' | 'cancelled' | 'timed_out';
  /** How many events it has. */
  readonly version: number;
  /** With the policy that governs now. */
  readonly subject: ApprovalSubject;
  readonly digest: string;
  readonly terms: ApprovalTerms;
  /** Null where unknown: the request is older than the recording of keys. */
  readonly askedWithKey: KeyRef | null;
  readonly requestedAt: string;
  readonly timeoutAt: string;
  /** The votes that are not withdrawn, in the order they were cast, at most one for each person. */
  readonly votes: readonly Vote[];
  /** How often each person withdrew a vote. */
  readonly withdrawals: ReadonlyMap<string, number>;
  /** By level: the last repetition that was sent. */
  readonly escalated: ReadonlyMap<number, number>;
  readonly scope: EventData<'approval.approved'>['scope'] | null;
  readonly grantExpiresAt: string | null;
  /** Whether the grant was used up. */
  readonly grantConsumed: boolean;
  readonly denialReason: DenialReason | null;
}
export type Approval = { readonly status: 'none' } | KnownApproval;

/** A stored event that this build cannot apply: a newer release wrote it, or the row was changed. */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent';
}

export const isOpen = ({ status }: Pick<Approval, 'status'>) =>
  status === 'pending' || status === 'escalated';

export function evolve(state: Approval, event: ApprovalEvent): Approval {
  if (event.type === 'approval.opened') return opened(event.data);
  if (state.status === 'none')
    throw new UnreadableEvent(`the history of a request begins with ${event.type}`);
  return { ...evolveKnown(state, event), version: state.version + 1 };
}

function evolveKnown(
  state: KnownApproval,
  event: Exclude<ApprovalEvent, { type: 'approval.opened' }>,
): KnownApproval {
  switch (event.type) {
    case 'approval.vote_cast':
      return { ...state, votes: [...state.votes, event.data.vote] };
    case 'approval.vote_withdrawn':
      return withdrawn(state, event.data.member_id);
    case 'approval.escalated': {
      const escalated = new Map(state.escalated).set(event.data.level, event.data.repetition);
      return { ...state, status: 'escalated', escalated };
    }
    case 'approval.policy_changed':
      return governedBy(state, event.data);
    case 'approval.approved': {
      const { scope, grant_expires_at: grantExpiresAt } = event.data;
      return { ...state, status: 'approved', votes: finalVotes(state, event.data), scope, grantExpiresAt };
    }
    case 'approval.denied': {
      const { denial_reason: denialReason } = event.data;
      return { ...state, status: 'denied', votes: finalVotes(state, event.data), denialReason };
    }
    case 'approval.cancelled':
      return { ...state, status: 'cancelled', denialReason: 'CANCELLED' };
    case 'approval.timed_out':
      return { ...state, status: 'timed_out', denialReason: 'approval_timeout' };
    case 'approval.grant_consumed':
      return { ...state, grantConsumed: true };
    default:
      return assertNever(event);
  }
}

function opened(data: EventData<'approval.opened'>): KnownApproval {
  const { approval_id, audit_event_id, agent, action_type, policy } = data;
  return {
    status: 'pending',
    version: 1,
    subject: { approval_id, audit_event_id, agent, action_type, policy },
    digest: data.action_digest,
    terms: data.terms,
    askedWithKey: data.asked_with_key ?? null,
    requestedAt: data.requested_at,
    timeoutAt: data.timeout_at,
    votes: [],
    withdrawals: new Map(),
    escalated: new Map(),
    scope: null,
    grantExpiresAt: null,
    grantConsumed: false,
    denialReason: null,
  };
}

/** Events of earlier releases do not contain the remaining votes: these are derived as those releases did. */
function governedBy(
  state: KnownApproval,
  { policy, terms, votes = votesUnder(terms, state) }: EventData<'approval.policy_changed'>,
): KnownApproval {
  return {
    ...state,
    subject: { ...state.subject, policy },
    terms,
    votes,
  };
}

const withdrawn = (state: KnownApproval, memberId: string): KnownApproval => ({
  ...state,
  votes: state.votes.filter((vote) => vote.member_id !== memberId),
  withdrawals: new Map(state.withdrawals).set(memberId, (state.withdrawals.get(memberId) ?? 0) + 1),
});

/** An event of a system decision has no votes; the earlier votes stay visible. */
const finalVotes = (state: KnownApproval, { votes }: { readonly votes: readonly Vote[] }) =>
  votes.length > 0 ? votes : state.votes;
