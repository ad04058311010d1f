import { type DomainEvent, eventSubject, replay, type WireEvent } from '@agentlattice/contracts';
import { respondTo } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import { eventually } from '@agentlattice/testkit';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { typeidUnboxed } from 'typeid-js';

type Source = 'gateway' | 'policy-engine' | 'approval-service' | 'notifier';

/** Another service as the ledger sees it: its events on the stream, and the replay from its tables. */
export class FakeSource {
  readonly events: WireEvent[] = [];
  private readonly counts = new Map<string, number>();
  private readonly subscription: Subscription;

  constructor(
    private readonly nc: NatsConnection,
    readonly name: Source,
  ) {
    this.subscription = respondTo(nc, {
      command: replay(name),
      queue: name,
      logger: createLogger('test', 'silent'),
      handler: (payload) => {
        const { after_gpos, limit } = payload as { after_gpos: number; limit: number };
        const events = this.events.slice(after_gpos, after_gpos + limit);
        const head_gpos = this.events.length;
        return { events, head_gpos, through_gpos: Math.min(head_gpos, after_gpos + events.length) };
      },
    });
  }

  /** Adds an event to its tables; it is not published yet. */
  add(
    org_id: string,
    event: DomainEvent | { type: string; data: object },
    more: Partial<WireEvent> = {},
  ): WireEvent {
    const source_seq = (this.counts.get(org_id) ?? 0) + 1;
    this.counts.set(org_id, source_seq);
    const made: WireEvent = {
      event_id: typeidUnboxed('evt'),
      type: event.type,
      schema_version: 1,
      source: this.name,
      gpos: this.events.length + 1,
      source_seq,
      org_id,
      stream_id: 'stream',
      version: source_seq,
      occurred_at: new Date(1_790_000_000_000 + this.events.length * 1_000).toISOString(),
      correlation_id: null,
      traceparent: null,
      actor: null,
      data: event.data as Record<string, unknown>,
      ...more,
    };
    this.events.push(made);
    return made;
  }

  async publish(...events: readonly WireEvent[]): Promise<void> {
    const js = jetstream(this.nc);
    for (const event of events)
      // The ledger creates the stream, maybe a moment later.
      await eventually(() =>
        js.publish(eventSubject(event.org_id, event.type), JSON.stringify({ events: [event] })),
      );
  }

  stop(): void {
    this.subscription.unsubscribe();
  }
}
