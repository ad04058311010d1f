import { type Actor, replay, type ServiceName, type WireEvent } from '@agentlattice/contracts';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';

/** What a service says; the envelope is made. */
export interface Said {
  readonly org_id: string;
  readonly stream_id: string;
  readonly type: string;
  readonly data: object;
  readonly version?: number;
  readonly actor?: Actor | null;
  readonly correlation_id?: string | null;
  readonly occurred_at?: Date;
}

/** The part of a service as a source of events, for those who project them: it publishes and replays. */
export interface FakeEventSource {
  readonly events: readonly WireEvent[];
  /** Keeps and publishes. */
  say(...said: Said[]): Promise<WireEvent[]>;
  /** Keeps, and publishes nothing: a message that was lost. */
  keep(...said: Said[]): WireEvent[];
  publish(...events: WireEvent[]): Promise<void>;
  stop(): void;
}

/** @param nc the connection of the service that is faked; the stream must be there */
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
  const keep = (...said: Said[]) =>
    said.map((fact) => {
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
    say: async (...said) => {
      const kept = keep(...said);
      await publish(...kept);
      return kept;
    },
    stop: () => subscription.unsubscribe(),
  };
}
