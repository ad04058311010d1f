import type { DomainEvent } from '../events/registry.js';
import { isEventType, readEvent } from '../events/registry.js';
import type { WireEvent } from '../events/wire-event.js';
import { outgoingPartOf } from '../channels/outgoing-event-of.js';
import type { LiveEvent } from './live-event.js';

/**
 * The live event of an event of the system; null for an event that is not sent to clients, and for one that this build cannot
 * read (its effect shows in the API).
 */
export function liveEventOf(wire: WireEvent): LiveEvent | null {
  const event = readable(wire);
  const part = event === null ? null : (outgoingPartOf(event) ?? internalPartOf(event));
  if (event === null || part === null) return null;
  return {
    event_id: wire.event_id,
    type: part.type,
    org_id: wire.org_id,
    time: wire.occurred_at,
    actor: wire.actor,
    agent_id: agentIn(event),
    data: part.data as LiveEvent['data'],
  };
}

function readable(wire: WireEvent): DomainEvent | null {
  if (!isEventType(wire.type)) return null;
  try {
    return readEvent(wire);
  } catch {
    return null;
  }
}

function agentIn({ data }: DomainEvent): string | null {
  return 'agent' in data && data.agent !== null ? data.agent.id : null;
}

/** Live events in addition to those that channels get. As there, every member that is sent is named here. */
function internalPartOf(event: DomainEvent): { readonly type: string; readonly data: object } | null {
  switch (event.type) {
    case 'approval.vote_cast':
    case 'approval.vote_withdrawn': {
      const { approval_id, action_type } = event.data;
      return { type: event.type, data: { approval_id, action_type } };
    }
    case 'approval.policy_changed':
    case 'approval.grant_consumed': {
      const { approval_id } = event.data;
      return { type: event.type, data: { approval_id } };
    }
    case 'policy.tampering_ended': {
      const { policy } = event.data;
      return { type: event.type, data: { policy: { id: policy.id, name: policy.name } } };
    }
    case 'agent.registered':
    case 'agent.resumed': {
      const { id, name } = event.data.agent;
      return { type: event.type, data: { agent: { id, name } } };
    }
    case 'delivery.dead':
    case 'delivery.redelivered': {
      const { delivery_id, channel_id, event_id, event_type, approval_id } = event.data;
      return { type: event.type, data: { delivery_id, channel_id, event_id, event_type, approval_id } };
    }
    case 'channel.created':
    case 'channel.updated':
    case 'channel.deleted': {
      const { channel_id, name, channel_type } = event.data;
      return { type: event.type, data: { channel_id, name, channel_type } };
    }
    case 'member.removed': {
      const { member_id } = event.data;
      return { type: event.type, data: { member_id } };
    }
    case 'member.created':
    case 'member.updated':
    case 'member.accepted': {
      const { member_id, role } = event.data;
      return { type: event.type, data: { member_id, role } };
    }
    default:
      return null;
  }
}
