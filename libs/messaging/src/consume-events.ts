import {
  eventStreamName,
  eventStreamProbeSubject,
  parseWith,
  type WireEvent,
  wireEventMessage,
} from '@agentlattice/contracts';
import type { Logger } from '@agentlattice/observability';
import { eventTemplate, measured } from './process-duration.js';
import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';

export interface EventConsumerOptions {
  /** Name of the durable consumer, `<service>-<purpose>`; it is listed in the table of permissions. */
  readonly durable: string;
  /** Default: events of all types. */
  readonly types?: readonly string[] | undefined;
  /**
   * Gets the collected events in the order of the stream; they are acknowledged when it resolves, and delivered again when it
   * throws.
   */
  readonly onMessage: (events: WireEvent[]) => Promise<void>;
  readonly logger: Logger;
}

export interface EventConsumer {
  /** Takes no more events and waits for the received ones. */
  stop(): Promise<void>;
}

const redeliverAfterMs = 500;
const retryAfterMs = 500;
const maxTogether = 64;

/**
 * Reads the stream by a durable consumer until it is stopped. After a loss of the connection or the stream it waits; a lost
 * consumer is created again.
 */
export function consumeEvents(nc: NatsConnection, options: EventConsumerOptions): EventConsumer {
  const stopping = new AbortController();
  let current: ConsumerMessages | undefined;
  const run = async () => {
    while (!stopping.signal.aborted) {
      try {
        current = await open(nc, options);
        // Closing resolves only when the messages are read to the end.
        if (stopping.signal.aborted) void current.close();
        await drain(current, options);
      } catch (error) {
        options.logger.debug({ err: error, durable: options.durable }, 'the event stream does not exist');
      }
      await pause(retryAfterMs, stopping.signal);
    }
  };
  const done = run();
  return {
    stop: async () => {
      stopping.abort();
      void current?.close();
      await done;
      // After the flush the server sends no more messages.
      if (!nc.isClosed()) await Promise.race([nc.flush().catch(() => {}), pause(1_000)]);
    },
  };
}

async function open(nc: NatsConnection, { durable, types }: EventConsumerOptions): Promise<ConsumerMessages> {
  const manager = await jetstreamManager(nc, { checkAPI: false });
  const config = {
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(10_000),
    deliver_policy: DeliverPolicy.All,
    max_ack_pending: 256,
    filter_subjects: types?.map((type) => `events.*.${type}`) ?? ['events.>'],
  };
  try {
    await manager.consumers.add(eventStreamName, { ...config, durable_name: durable });
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.status !== 400) throw error;
    // It exists with another filter, from an earlier release.
    await manager.consumers.update(eventStreamName, durable, config);
  }
  const consumer = await jetstream(nc).consumers.get(eventStreamName, durable);
  return consumer.consume({
    max_messages: 128,
    // Each pull and each heartbeat wakes both sides. Events that a silent server delays are found by their number in the
    // meantime.
    expires: 30_000,
    idle_heartbeat: 15_000,
    abort_on_missing_resource: true,
  });
}

/** One call of `onMessage` at a time, with all events that arrived during the last one. */
async function drain(messages: ConsumerMessages, options: EventConsumerOptions): Promise<void> {
  const waiting: JsMsg[] = [];
  let working: Promise<void> | undefined;
  const work = async () => {
    while (waiting.length > 0) await handle(waiting.splice(0, maxTogether), options);
    working = undefined;
  };
  try {
    for await (const message of messages) {
      waiting.push(message);
      working ??= work();
    }
  } finally {
    for (const message of waiting.splice(0)) message.nak();
    await working;
  }
}

async function handle(
  messages: readonly JsMsg[],
  { onMessage, durable, logger }: EventConsumerOptions,
): Promise<void> {
  const good: JsMsg[] = [];
  const events: WireEvent[] = [];
  for (const message of messages) {
    if (message.subject === eventStreamProbeSubject) {
      message.ack();
      continue;
    }
    const parsed = parseWith(wireEventMessage, json(message));
    if (parsed.success) {
      good.push(message);
      events.push(...parsed.data.events);
    } else {
      // It will never be readable; its gap is filled from the source's table.
      logger.error({ durable, subject: message.subject }, 'an event message in an unknown form was dropped');
      message.term('unreadable');
    }
  }
  if (good.length === 0) return;
  try {
    await measured(eventTemplate, () => onMessage(events));
    for (const message of good) message.ack();
  } catch (error) {
    logger.warn({ err: error, durable }, 'events could not be handled and are delivered again');
    for (const message of good) message.nak(redeliverAfterMs);
  }
}

function json(message: JsMsg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}

const pause = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
