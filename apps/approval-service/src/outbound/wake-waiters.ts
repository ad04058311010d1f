import { wakeSubject } from '@agentlattice/contracts';
import type { StoredEvent } from '@agentlattice/event-store';
import type { NatsConnection } from '@nats-io/transport-node';

export type Waker = Pick<NatsConnection, 'publish'>;

const ends = new Set(['approval.approved', 'approval.denied', 'approval.cancelled', 'approval.timed_out']);

/** Wakes who waits for the end of these requests. Called once the events are on disk; a lost wake-up is found by reading. */
export function wakeWaiters(nc: Waker, events: readonly StoredEvent[]): void {
  for (const { type, stream_id } of events) if (ends.has(type)) nc.publish(wakeSubject(stream_id));
}
