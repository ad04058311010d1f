import type { EventData } from '@agentlattice/contracts';
import { assertNever, type Decider, Refused } from '@agentlattice/decider';
import { type Approval, type ApprovalEvent, evolve, isOpen, type KnownApproval } from './approval.js';
import { type ConsumeGrant, decideConsumption } from './decide-consumption.js';
import { type ApplyJudgement, decideJudgement } from './decide-judgement.js';
import { decideMemberChange, type MemberChanged } from './decide-member-change.js';
import { decideUndecidable } from './decide-undecidable.js';
import {
  type Approve,
  checkOpen,
  decideVote,
  decideWithdrawal,
  type Deny,
  isLate,
  type WithdrawVote,
} from './decide-vote.js';
import type { Person } from './may-decide.js';
import { decideEscalation } from './escalation-plan.js';

export interface OpenApproval {
  readonly type: 'OpenApproval';
  readonly opened: EventData<'approval.opened'>;
}
/** The requesting agent withdraws its request. */
export interface Cancel {
  readonly type: 'Cancel';
  readonly agentId: string;
  readonly now: Date;
}
/** The agent was suspended with `pending: cancel`. */
export interface EndSuspended {
  readonly type: 'EndSuspended';
  readonly agentId: string;
  /** The `agent.suspended`. */
  readonly eventId: string;
  readonly now: Date;
}
/** A timer or a sweep found that the request may be due; both may send it. */
export interface Timed {
  readonly type: 'TimeOut' | 'Escalate';
  readonly now: Date;
}
/** None of these people, who are all members of the workspace, may decide the request. */
export interface NobodyDecides {
  readonly type: 'NobodyDecides';
  readonly people: readonly Person[];
  readonly now: Date;
}
export type ApprovalCommand =
  | OpenApproval
  | Approve
  | Deny
  | WithdrawVote
  | Cancel
  | EndSuspended
  | Timed
  | NobodyDecides
  | MemberChanged
  | ApplyJudgement
  | ConsumeGrant;

export const approvalDecider: Decider<Approval, ApprovalCommand, ApprovalEvent> = {
  initialState: () => ({ status: 'none' }),
  decide,
  evolve,
};

function decide(command: ApprovalCommand, state: Approval): readonly ApprovalEvent[] {
  switch (command.type) {
    case 'OpenApproval':
      return open(command, state);
    case 'Approve':
    case 'Deny':
      return decideVote(command, known(state));
    case 'WithdrawVote':
      return decideWithdrawal(command, known(state));
    case 'Cancel':
      return cancel(command, known(state));
    case 'EndSuspended':
      return state.status === 'none' ? [] : endSuspended(command, state);
    case 'TimeOut':
      return state.status === 'none' ? [] : timeOut(state, command.now);
    case 'Escalate':
      return state.status === 'none' ? [] : decideEscalation(state, command.now);
    case 'NobodyDecides':
      return state.status === 'none' ? [] : decideUndecidable(command, state);
    case 'MemberChanged':
      return state.status === 'none' ? [] : decideMemberChange(command, state);
    case 'ApplyJudgement':
      return state.status === 'none' ? [] : decideJudgement(command, state);
    case 'ConsumeGrant':
      return decideConsumption(command, state);
    default:
      return assertNever(command);
  }
}

function open({ opened }: OpenApproval, state: Approval): readonly ApprovalEvent[] {
  if (state.status === 'none') return [{ type: 'approval.opened', data: opened }];
  if (state.subject.audit_event_id !== opened.audit_event_id || state.digest !== opened.action_digest)
    throw new Refused('INTERNAL', 'the approval id belongs to another action');
  return [];
}

/** Another agent does not learn that the request exists. */
function cancel({ agentId, now }: Cancel, state: KnownApproval): readonly ApprovalEvent[] {
  if (state.subject.agent.id !== agentId) throw notFound();
  checkOpen(state, now);
  return [{ type: 'approval.cancelled', data: { ...state.subject, suspension: null } }];
}

/** A repetition does nothing; a request that has ended is unchanged. */
const endSuspended = (
  { agentId, eventId, now }: EndSuspended,
  state: KnownApproval,
): readonly ApprovalEvent[] =>
  isOpen(state) && !isLate(state, now) && state.subject.agent.id === agentId
    ? [{ type: 'approval.cancelled', data: { ...state.subject, suspension: { event_id: eventId } } }]
    : [];

const timeOut = (state: KnownApproval, now: Date): readonly ApprovalEvent[] =>
  isOpen(state) && isLate(state, now)
    ? [{ type: 'approval.timed_out', data: { ...state.subject, timeout_at: state.timeoutAt } }]
    : [];

function known(state: Approval): KnownApproval {
  if (state.status === 'none') throw notFound();
  return state;
}

const notFound = () => new Refused('NOT_FOUND', 'there is no such approval request in this workspace');
