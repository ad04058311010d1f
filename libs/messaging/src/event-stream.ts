import { eventStreamName, eventStreamProbeSubject } from '@agentlattice/contracts';
import {
  DiscardPolicy,
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';

const hour = 3_600_000;
/** How long JetStream keeps events; older ones come from the services' own tables (decisions §7.2). */
export const eventStreamAgeMs = 72 * hour;

/** The server's error code for a message with a TTL in a stream that does not allow it. */
const noMessageTtl = 10_166;

export interface EventStreamState {
  /** The incarnation of the stream: changes when it was deleted or its disk was lost. */
  readonly incarnation: string;
  readonly lastSequence: number;
  /** Whether probes can be stored: the stream allows messages with their own TTL. */
  readonly takesProbes: boolean;
  /** Whether messages can be read by their sequence, without a consumer. */
  readonly readsBySequence: boolean;
  /** How many servers keep the stream. */
  readonly replicas: number;
}

/**
 * Creates the stream if it is missing, and changes one that an earlier release or configuration made; only the audit-ledger may.
 * @param replicas how many servers keep it: 1, or 3 in a cluster that is to survive the loss of a server
 */
export async function ensureEventStream(nc: NatsConnection, replicas = 1): Promise<EventStreamState> {
  const present = await eventStreamState(nc);
  if (present?.takesProbes === true && present.readsBySequence && present.replicas === replicas)
    return present;
  const manager = await jetstreamManager(nc, { checkAPI: false });
  if (present !== null) {
    // If it cannot be changed (too few servers are up), events are published all the same.
    const wanted = { allow_msg_ttl: true, allow_direct: true, num_replicas: replicas };
    const changed = await manager.streams.update(eventStreamName, wanted).catch(() => null);
    return {
      ...present,
      ...(changed === null ? {} : { takesProbes: true, readsBySequence: true, replicas }),
    };
  }
  const { created, state } = await manager.streams.add({
    name: eventStreamName,
    subjects: ['events.>'],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(eventStreamAgeMs),
    duplicate_window: nanos(120_000),
    allow_msg_ttl: true,
    allow_direct: true,
    num_replicas: replicas,
  });
  return {
    incarnation: created,
    lastSequence: state.last_seq,
    takesProbes: true,
    readsBySequence: true,
    replicas,
  };
}

/** The existing stream; null while there is none. */
export async function eventStreamState(nc: NatsConnection): Promise<EventStreamState | null> {
  const manager = await jetstreamManager(nc, { checkAPI: false });
  try {
    const { created, state, config } = await manager.streams.info(eventStreamName);
    return {
      incarnation: created,
      lastSequence: state.last_seq,
      takesProbes: config.allow_msg_ttl === true,
      readsBySequence: config.allow_direct === true,
      replicas: config.num_replicas,
    };
  } catch (error) {
    if (error instanceof JetStreamApiError && error.status === 404) return null;
    throw error;
  }
}

/**
 * Stores a probe in the stream, which is the only way to know that it stores: a NATS whose disk was full answers every query
 * and every read, but stores no more messages.
 * @returns whether it was stored; false when the stream does not allow probes; then it is unknown
 * @throws when the stream does not confirm it in time
 */
export async function storeProbe(nc: NatsConnection, withinMs: number): Promise<boolean> {
  try {
    await jetstream(nc, { timeout: withinMs }).publish(eventStreamProbeSubject, '{}', {
      timeout: withinMs,
      ttl: '1m',
    });
    return true;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === noMessageTtl) return false;
    throw error;
  }
}
