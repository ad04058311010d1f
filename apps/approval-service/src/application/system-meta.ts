import type { EventMeta } from '@agentlattice/event-store';

/** Of events that the service decides by itself: no person, agent or key stands behind them. */
export const systemMeta = (origin: Pick<EventMeta, 'correlation_id' | 'traceparent'>): EventMeta => ({
  actor: { kind: 'system', id: null, key_id: null, via: 'system' },
  correlation_id: origin.correlation_id,
  traceparent: origin.traceparent,
});
