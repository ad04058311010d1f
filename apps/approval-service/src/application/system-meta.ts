import type { EventMeta } from '@agentlattice/event-store';

/** For events that the service decides by itself, without a person, agent or key. */
export const systemMeta = (origin: Pick<EventMeta, 'correlation_id' | 'traceparent'>): EventMeta => ({
  actor: { kind: 'system', id: null, key_id: null, via: 'system' },
  correlation_id: origin.correlation_id,
  traceparent: origin.traceparent,
});
