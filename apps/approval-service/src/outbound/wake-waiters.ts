import { type WakeHint, wakeSubject } from '@agentlattice/contracts';
import type { StoredEvent } from '@agentlattice/event-store';
import type { NatsConnection } from '@nats-io/transport-node';

export type Waker = Pick<NatsConnection, 'publish'>;

const ends = new Set(['approval.approved', 'approval.denied', 'approval.cancelled', 'approval.timed_out']);

/**
 * Wakes the gateways that wait for the end of these requests. Called once the events are on disk, and never throws: after a
 * lost wake-up the waiting gateway reads the state.
 * @param hintOf the final status of a request if it is in memory: it saves the waiting gateways a read
 */
export function wakeWaiters(
  nc: Waker,
  events: readonly StoredEvent[],
  hintOf: (event: StoredEvent) => WakeHint | null = () => null,
): void {
  for (const event of events) {
    if (!ends.has(event.type)) continue;
    try {
      const hint = hintOf(event);
      nc.publish(wakeSubject(event.stream_id), hint === null ? '' : JSON.stringify(hint));
    } catch {
      // The connection is closed, or the hint cannot be made.
    }
  }
}
