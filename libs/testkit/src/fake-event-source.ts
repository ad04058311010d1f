import { type Actor, replay, type ServiceName, type WireEvent } from '@agentlattice/contracts';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';

/** An event of a service. The members of the envelope that are missing are filled in. */
export interface SourceEvent {
  readonly org_id: string;
  readonly stream_id: string;
  readonly type: string;
  readonly data: object;
  readonly version?: number;
  readonly actor?: Actor | null;
  readonly correlation_id?: string | null;
  readonly occurred_at?: Date;
}

/** A fake of a service as a source of events, for tests of projections: it publishes events and answers replays. */
export interface FakeEventSource {
  readonly events: readonly WireEvent[];
  /** Keeps new events and publishes them. */
  emit(...facts: SourceEvent[]): Promise<WireEvent[]>;
  /** Keeps new events without publishing them, as if the message was lost. */
  keep(...facts: SourceEvent[]): WireEvent[];
  /** Publishes kept events, also once more. */
  publish(...events: WireEvent[]): Promise<void>;
  stop(): void;
}

/** @param nc the connection of the faked service; the stream must exist */
export async function fakeEventSource(nc: NatsConnection, service: ServiceName): Promise<FakeEventSource> {
  const command = replay(service);
  const events: WireEvent[] = [];
  const subscription = nc.subscribe(command.subject, {
    queue: service,
    callback: (_error, message) => {
      const { after_gpos, limit, types } = command.request.parse(message.json());
      const found = events.filter(
        ({ gpos, type }) => gpos > after_gpos && (types === undefined || types.includes(type)),
      );
      const page = found.slice(0, limit);
      const through_gpos = page.length < found.length ? (page.at(-1)?.gpos ?? 0) : events.length;
      message.respond(
        JSON.stringify({ ok: true, result: { events: page, head_gpos: events.length, through_gpos } }),
      );
    },
  });
  await nc.flush();
  const keep = (...facts: SourceEvent[]) =>
    facts.map((fact) => {
      const gpos = events.length + 1;
      const event: WireEvent = {
        event_id: `evt_${randomUUID()}`,
        schema_version: 1,
        source: service,
        gpos,
        source_seq: gpos,
        version: 1,
        correlation_id: null,
        traceparent: null,
        actor: null,
        ...fact,
        occurred_at: (fact.occurred_at ?? new Date()).toISOString(),
        data: fact.data as Record<string, unknown>,
      };
      events.push(event);
      return event;
    });
  const publish = async (...published: WireEvent[]) => {
    for (const event of published)
      await jetstream(nc).publish(
        `events.${event.org_id}.${event.type}`,
        JSON.stringify({ events: [event] }),
      );
  };
  return {
    events,
    keep,
    publish,
    emit: async (...facts) => {
      const kept = keep(...facts);
      await publish(...kept);
      return kept;
    },
    stop: () => subscription.unsubscribe(),
  };
}
