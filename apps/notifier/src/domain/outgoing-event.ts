import type { DomainEvent, EventType, OutgoingEvent, WireEvent } from '@agentlattice/contracts';
import { assertNever } from '@agentlattice/decider';

/**
 * What is taken in. Not the outcomes that are there in thousands a second and wait for nobody, `action.executed` and
 * `action.denied`: until a channel asks for them they stay in the ledger, which gives them again at any time.
 */
export const takenIn = [
  'approval.opened',
  'approval.timed_out',
  'policy.created',
  'policy.updated',
  'policy.activated',
  'policy.deactivated',
  'policy.deleted',
  'agent.suspended',
] as const satisfies readonly EventType[];

type Told = Pick<OutgoingEvent, 'type' | 'subject' | 'data'>;

/** The CloudEvent that an event of the house goes out as; null for one that stays inside. */
export function outgoingEventOf(event: WireEvent & DomainEvent): OutgoingEvent | null {
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
    case 'agent.suspended':
      return { type: event.type, subject: event.data.agent.id, data: event.data };
    case 'action.requested':
    case 'ledger.created':
    case 'agent.registered':
    case 'agent.resumed':
    case 'member.created':
    case 'key.created':
    case 'key.rotated':
    case 'key.revoked':
      return null;
    default:
      return assertNever(event);
  }
}
