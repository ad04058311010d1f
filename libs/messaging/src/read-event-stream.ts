import {
  eventStreamName,
  eventStreamProbeSubject,
  parseWith,
  type WireEvent,
  wireEventMessage,
} from '@agentlattice/contracts';
import { JetStreamError, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

/** The part of the stream that is kept. */
export interface EventStreamRange {
  /** The incarnation of the stream: changes when it was deleted or its disk was lost. Letters and digits. */
  readonly incarnation: string;
  /** Of the oldest message that is kept; above `lastSequence` while there is none. */
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/** One message of the stream. */
export interface StreamedEvents {
  readonly sequence: number;
  /** Empty for unreadable messages and probes. */
  readonly events: readonly WireEvent[];
}

export interface ReadEventStream {
  /** The smallest sequence of the first message. */
  readonly from: number;
  /** A subject or pattern below `events.`. Default: all. */
  readonly subject?: string;
  readonly limit: number;
  /** Messages with other subjects are returned without their events, which are not parsed. */
  readonly wanted?: (subject: string) => boolean;
}

const maxBytes = 4 * 1024 * 1024;

/** The current range of the stream. @throws while it does not exist */
export async function eventStreamRange(nc: NatsConnection): Promise<EventStreamRange> {
  const manager = await jetstreamManager(nc, { checkAPI: false });
  const { created, state } = await manager.streams.info(eventStreamName);
  return {
    incarnation: Date.parse(created).toString(36),
    firstSequence: state.first_seq,
    lastSequence: state.last_seq,
  };
}

/**
 * Messages in the order of the stream, read without a consumer.
 * @returns at most 4 MiB, so maybe fewer than `limit`; none at the end of the stream
 */
export async function readEventStream(
  nc: NatsConnection,
  { from, subject = 'events.>', limit, wanted = () => true }: ReadEventStream,
): Promise<StreamedEvents[]> {
  const manager = await jetstreamManager(nc, { checkAPI: false });
  const batch = { seq: from, batch: limit, max_bytes: maxBytes, next_by_subj: subject };
  const found: StreamedEvents[] = [];
  try {
    for await (const message of await manager.direct.getBatch(eventStreamName, batch)) {
      const isWanted = message.subject !== eventStreamProbeSubject && wanted(message.subject);
      found.push({ sequence: message.seq, events: isWanted ? eventsIn(message.string()) : [] });
    }
  } catch (error) {
    if (!isNoMessage(error)) throw error;
  }
  return found;
}

/** The server's answer when no message follows. */
const isNoMessage = (error: unknown) =>
  error instanceof JetStreamError && (error as JetStreamError & { code?: unknown }).code === 404;

function eventsIn(text: string): readonly WireEvent[] {
  try {
    const parsed = parseWith(wireEventMessage, JSON.parse(text));
    return parsed.success ? parsed.data.events : [];
  } catch {
    return [];
  }
}
