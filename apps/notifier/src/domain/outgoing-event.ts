import type { DomainEvent, EventData, EventType, OutgoingEvent, WireEvent } from '@agentlattice/contracts';
import { assertNever } from '@agentlattice/decider';

/**
 * What is taken in. Not the outcomes that are there in thousands a second and wait for nobody, `action.executed` and
 * `action.denied`: until a channel asks for them they stay in the ledger, which gives them again at any time. Of approvals
 * all, those that stay inside too: a source that is taken whole need not be asked for what is missing.
 */
export const takenIn = [
  'approval.opened',
  'approval.vote_cast',
  'approval.vote_withdrawn',
  'approval.escalated',
  'approval.policy_changed',
  'approval.approved',
  'approval.denied',
  'approval.cancelled',
  'approval.timed_out',
  'policy.created',
  'policy.updated',
  'policy.activated',
  'policy.deactivated',
  'policy.deleted',
  'agent.suspended',
] as const satisfies readonly EventType[];

/** What of an event's envelope goes out. */
export type OutgoingSource = DomainEvent &
  Pick<WireEvent, 'event_id' | 'org_id' | 'source' | 'occurred_at' | 'correlation_id' | 'traceparent'>;

type Told = Pick<OutgoingEvent, 'type' | 'subject' | 'data'>;

/** The CloudEvent that an event of the house goes out as; null for one that stays inside. */
export function outgoingEventOf(event: OutgoingSource): OutgoingEvent | null {
  const told = tell(event);
  if (told === null) return null;
  return {
    specversion: '1.0',
    // One event goes out as one: its id is enough for receivers to know a repetition.
    id: event.event_id,
    source: `/workspaces/${event.org_id}/${event.source}`,
    type: told.type,
    subject: told.subject,
    time: event.occurred_at,
    datacontenttype: 'application/json',
    data: { org_id: event.org_id, ...told.data },
  };
}

/** The column "goes out as" of the table of events. References only: what may be erased never leaves by this way. */
function tell(event: DomainEvent): Told | null {
  switch (event.type) {
    case 'action.executed':
    case 'action.denied':
      return { type: event.type, subject: event.data.audit_event_id, data: event.data };
    case 'approval.opened':
      return { type: 'approval.requested', subject: event.data.approval_id, data: event.data };
    case 'approval.approved':
    case 'approval.denied':
      return tellDecision(event);
    case 'approval.escalated': {
      // Who else is told is nobody's business outside; the mails to the contacts are made from the event itself.
      const { step, ...data } = event.data;
      return { type: event.type, subject: data.approval_id, data: { ...data, after: step.after } };
    }
    case 'approval.cancelled':
    case 'approval.timed_out':
      return { type: event.type, subject: event.data.approval_id, data: event.data };
    case 'policy.created':
    case 'policy.updated':
    case 'policy.activated':
    case 'policy.deactivated':
    case 'policy.deleted': {
      const { policy_id, name, version, hash } = event.data;
      const change = event.type.slice('policy.'.length);
      return { type: 'policy.changed', subject: policy_id, data: { change, policy_id, name, version, hash } };
    }
    case 'endpoint.disabled':
      return { type: event.type, subject: event.data.channel_id, data: event.data };
    case 'agent.suspended':
      return { type: event.type, subject: event.data.agent.id, data: event.data };
    case 'approval.vote_cast':
    case 'approval.vote_withdrawn':
    case 'approval.policy_changed':
    case 'action.requested':
    case 'action.reported':
    case 'ledger.created':
    case 'agent.registered':
    case 'agent.resumed':
    case 'member.created':
    case 'key.created':
    case 'key.rotated':
    case 'key.revoked':
    case 'channel.created':
    case 'channel.updated':
    case 'channel.deleted':
    case 'channel.secret_rotated':
    case 'delivery.dead':
      return null;
    default:
      return assertNever(event);
  }
}

/** Alone as `approval.auto_resolved` where no person decided. */
function tellDecision(
  event:
    | { readonly type: 'approval.approved'; readonly data: EventData<'approval.approved'> }
    | { readonly type: 'approval.denied'; readonly data: EventData<'approval.denied'> },
): Told {
  const { votes, change, approval_id } = event.data;
  const decidedBy = change === null ? (votes.at(-1)?.member_id ?? null) : null;
  return {
    type: decidedBy === null ? 'approval.auto_resolved' : event.type,
    subject: approval_id,
    data: {
      ...event.data,
      decision: event.type === 'approval.approved' ? 'approved' : 'denied',
      resolved_by: decidedBy,
    },
  };
}
