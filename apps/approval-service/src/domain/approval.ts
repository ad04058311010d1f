import type { DomainEvent, EventData } from '@agentlattice/contracts';
import { assertNever, type Decider, Refused } from '@agentlattice/decider';

export type ApprovalEvent = DomainEvent<'approval.opened' | 'approval.timed_out'>;

/** What an approval is about; every event of it carries this. */
export type ApprovalSubject = Omit<EventData<'approval.timed_out'>, 'timeout_at'>;

export type Approval =
  | { readonly status: 'none' }
  | {
      readonly status: 'pending' | 'timed_out';
      readonly subject: ApprovalSubject;
      readonly digest: string;
      readonly timeoutAt: string;
    };

export type ApprovalCommand =
  | { readonly type: 'OpenApproval'; readonly opened: EventData<'approval.opened'> }
  /** The timer's, or the sweep's: whoever sees first that the deadline is past. */
  | { readonly type: 'TimeOutApproval'; readonly now: Date };

export const approvalDecider: Decider<Approval, ApprovalCommand, ApprovalEvent> = {
  initialState: () => ({ status: 'none' }),
  decide,
  evolve,
};

function decide(command: ApprovalCommand, state: Approval): readonly ApprovalEvent[] {
  switch (command.type) {
    case 'OpenApproval':
      if (state.status === 'none') return [{ type: 'approval.opened', data: command.opened }];
      if (!isSame(state, command.opened))
        throw new Refused('INTERNAL', 'the approval id stands for another action');
      return [];
    case 'TimeOutApproval':
      if (state.status !== 'pending' || command.now.getTime() < Date.parse(state.timeoutAt)) return [];
      return [{ type: 'approval.timed_out', data: { ...state.subject, timeout_at: state.timeoutAt } }];
    default:
      return assertNever(command);
  }
}

function evolve(state: Approval, event: ApprovalEvent): Approval {
  switch (event.type) {
    case 'approval.opened': {
      const { approval_id, audit_event_id, agent, action_type, policy, action_digest, timeout_at } =
        event.data;
      const subject = { approval_id, audit_event_id, agent, action_type, policy };
      return { status: 'pending', subject, digest: action_digest, timeoutAt: timeout_at };
    }
    case 'approval.timed_out':
      return state.status === 'none' ? state : { ...state, status: 'timed_out' };
    default:
      return assertNever(event);
  }
}

const isSame = (
  { subject, digest }: Exclude<Approval, { status: 'none' }>,
  opened: EventData<'approval.opened'>,
) => subject.audit_event_id === opened.audit_event_id && digest === opened.action_digest;
