import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { AgentLatticeError } from './errors.js';
import { sleep, type Transport } from './transport.js';

/** What happened in the workspace, in the moment it happened. */
export interface LiveEvent {
  /** For `lastEventId`: where to go on after a break. */
  readonly id: string;
  /** `approval.requested`, `approval.approved`, … ; `reset` when what was missed is not kept any longer: fetch anew. */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface SubscribeOptions {
  /** Goes on after this event. Default: begins now. */
  readonly lastEventId?: string;
  /** Only these types. Default: all that the key may see, without those of actions (`action.executed`, `action.denied`). */
  readonly types?: readonly string[];
  readonly signal?: AbortSignal;
  /** Told when events come, and when they do not: the connection is lost and made again until they do. */
  readonly onConnection?: (isUp: boolean) => void;
}

/** The stream tells the time every 15 s; when it says nothing for three times that, the connection is dead. */
const silentMs = 45_000;
const firstPauseMs = 250;
const longestPauseMs = 8_000;

/**
 * Live events over server-sent events. Connects again by itself and goes on where it was, without loss or repetition.
 * @throws AgentLatticeError when the system refuses (a key that was revoked)
 */
export async function* liveEvents(
  transport: Transport,
  { lastEventId, types, signal, onConnection }: SubscribeOptions = {},
): AsyncGenerator<LiveEvent, void, void> {
  let last = lastEventId;
  let pauseMs = firstPauseMs;
  let isUp: boolean | undefined;
  const tell = (now: boolean) => {
    if (isUp !== now && signal?.aborted !== true) onConnection?.(now);
    isUp = now;
  };
  while (signal?.aborted !== true) {
    const connection = new AbortController();
    const abort = () => connection.abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      for await (const event of read(transport, { last, types }, connection)) {
        tell(true);
        pauseMs = firstPauseMs;
        if (event.id !== '') last = event.id;
        if (event.type === 'heartbeat') continue;
        if (event.type === 'reset' || types === undefined || types.includes(event.type)) yield event;
      }
    } catch (error) {
      if (
        error instanceof AgentLatticeError &&
        error.status !== undefined &&
        error.status < 500 &&
        error.status !== 429
      )
        throw error;
    } finally {
      connection.abort();
      signal?.removeEventListener('abort', abort);
    }
    tell(false);
    await sleep(pauseMs / 2 + Math.random() * (pauseMs / 2), signal).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** One connection, until it ends. */
async function* read(
  transport: Transport,
  { last, types = [] }: { readonly last: string | undefined; readonly types: readonly string[] | undefined },
  connection: AbortController,
): AsyncGenerator<LiveEvent> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => connection.abort(), silentMs);
  };
  heard();
  try {
    // The server must know the types: it sends those of actions only to clients that name them.
    const query = types.length === 0 ? '' : `?types=${encodeURIComponent(types.join(','))}`;
    const response = await transport.stream(`/api/v1/events${query}`, {
      signal: connection.signal,
      headers: last === undefined ? {} : { 'last-event-id': last },
    });
    const came: LiveEvent[] = [];
    const parser = createParser({ onEvent: (message) => came.push(eventOf(message)) });
    const decoder = new TextDecoder();
    for await (const chunk of chunksOf(response)) {
      heard();
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* came.splice(0);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** By a reader, since not every platform can iterate over a stream. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function eventOf({ id = '', event = 'message', data }: EventSourceMessage): LiveEvent {
  try {
    return { id, type: event, data: JSON.parse(data) as LiveEvent['data'] };
  } catch {
    throw new AgentLatticeError('UNEXPECTED_ANSWER', 'The stream of events cannot be read', { status: 500 });
  }
}
