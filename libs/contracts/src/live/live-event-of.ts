import type { DomainEvent } from '../events/registry.js';
import { isEventType, readEvent } from '../events/registry.js';
import type { WireEvent } from '../events/wire-event.js';
import { toldOutside } from '../channels/outgoing-event-of.js';
import type { LiveEvent } from './live-event.js';

/**
 * The live event that an event of the system is told as; null for one that nobody who listens hears of, and for one that this
 * build cannot read (it is shown when the page is fetched).
 */
export function liveEventOf(wire: WireEvent): LiveEvent | null {
  const event = readable(wire);
  const told = event === null ? null : (toldOutside(event) ?? toldInside(event));
  if (event === null || told === null) return null;
  return {
    event_id: wire.event_id,
    type: told.type,
    org_id: wire.org_id,
    time: wire.occurred_at,
    actor: wire.actor,
    agent_id: agentIn(event),
    data: told.data as LiveEvent['data'],
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

/** What members hear beside what goes out. Every member that is told is named here, as it is there. */
function toldInside(event: DomainEvent): { readonly type: string; readonly data: object } | null {
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
    case 'member.created':
    case 'member.accepted': {
      const { member_id, role } = event.data;
      return { type: event.type, data: { member_id, role } };
    }
    default:
      return null;
  }
}
