import { eventStreamName } from '@agentlattice/contracts';
import {
  DiscardPolicy,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';

const hour = 3_600_000;
/** How long JetStream keeps events; older ones come from the services' own tables (decisions §7.2). */
export const eventStreamAgeMs = 72 * hour;

export interface EventStreamState {
  /** Which life of the stream this is: changes when it was deleted or its disk was lost. */
  readonly incarnation: string;
  readonly lastSequence: number;
}

/** Makes the stream where it is missing; only the audit-ledger may. */
export async function ensureEventStream(nc: NatsConnection): Promise<EventStreamState> {
  const present = await eventStreamState(nc);
  if (present !== null) return present;
  const manager = await jetstreamManager(nc, { checkAPI: false });
  const { created, state } = await manager.streams.add({
    name: eventStreamName,
    subjects: ['events.>'],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(eventStreamAgeMs),
    duplicate_window: nanos(120_000),
  });
  return { incarnation: created, lastSequence: state.last_seq };
}

/** The stream as it is; null while there is none. */
export async function eventStreamState(nc: NatsConnection): Promise<EventStreamState | null> {
  const manager = await jetstreamManager(nc, { checkAPI: false });
  try {
    const { created, state } = await manager.streams.info(eventStreamName);
    return { incarnation: created, lastSequence: state.last_seq };
  } catch (error) {
    if (error instanceof JetStreamApiError && error.status === 404) return null;
    throw error;
  }
}
