import { createParser, type EventSourceMessage } from 'eventsource-parser';

export interface Heard {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** One connection to `GET /api/v1/events` that keeps the received events. It does not reconnect by itself. */
export class EventSourceClient {
  readonly heard: Heard[] = [];
  readonly heartbeats: Heard[] = [];
  retryMs: number | undefined;
  ended = false;

  private constructor(
    readonly status: number,
    private readonly controller: AbortController,
  ) {}

  /** Resolves once the answer has begun. */
  static async open(
    baseUrl: string,
    key: string | null,
    {
      lastEventId,
      query = '',
      headers = {},
    }: { lastEventId?: string | undefined; query?: string; headers?: Record<string, string> } = {},
  ): Promise<EventSourceClient> {
    const controller = new AbortController();
    const response = await fetch(`${baseUrl}/api/v1/events${query}`, {
      signal: controller.signal,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...headers,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
    });
    const client = new EventSourceClient(response.status, controller);
    if (response.ok) void client.read(response);
    else await response.body?.cancel();
    return client;
  }

  /** The id of the last event, from which another connection goes on. */
  get last(): string | undefined {
    const all = [...this.heard, ...this.heartbeats];
    return all.sort((a, b) => sequenceOf(a.id) - sequenceOf(b.id)).at(-1)?.id;
  }

  close(): void {
    this.controller.abort();
  }

  private async read(response: Response): Promise<void> {
    const parser = createParser({
      onEvent: ({ id = '', event = 'message', data }: EventSourceMessage) => {
        const one = { id, type: event, data: JSON.parse(data) as Heard['data'] };
        (event === 'heartbeat' ? this.heartbeats : this.heard).push(one);
      },
      onRetry: (ms) => (this.retryMs = ms),
    });
    try {
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? [])
        parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    } catch {
      // The connection was cut off.
    }
    this.ended = true;
  }
}

export const sequenceOf = (id: string): number => Number(id.split('.')[1]);
