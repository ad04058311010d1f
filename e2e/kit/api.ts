import type { RunningSystem } from '@agentlattice/testkit';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; an empty object when it is not JSON. */
  readonly body: Record<string, unknown>;
}

export interface Call {
  readonly key?: string | null;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
  readonly headers?: Record<string, string>;
}

/** Calls the system over HTTP. */
export class Api {
  constructor(
    private readonly baseUrl: string,
    readonly key: string | null,
  ) {}

  as(key: string | null): Api {
    return new Api(this.baseUrl, key);
  }

  async call(
    method: string,
    path: string,
    { key = this.key, body, raw, headers = {} }: Call = {},
  ): Promise<Answer> {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(this.baseUrl + path, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
    });
    // An answer that does not end is not read.
    const isEndless = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (isEndless) await response.body?.cancel();
    const text = isEndless ? '' : await response.text();
    const isJson = /[/+]json(;|$)/.test(response.headers.get('content-type') ?? '');
    const parsed: unknown = isJson && text !== '' ? JSON.parse(text) : {};
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: parsed as Record<string, unknown>,
    };
  }

  get(path: string): Promise<Answer> {
    return this.call('GET', path);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.call('POST', path, { body, headers });
  }

  /** Submits an action; `eventId` makes it idempotent. */
  submit(actionType: string, metadata: Record<string, unknown> = {}, eventId?: string): Promise<Answer> {
    return this.post(
      '/api/v1/actions',
      { action_type: actionType, metadata },
      eventId === undefined ? {} : { 'x-al-event-id': eventId },
    );
  }

  /** Makes a policy. @throws when it is refused */
  async policy(policy: {
    name: string;
    action_type: string;
    effect: string;
    [member: string]: unknown;
  }): Promise<string> {
    const { status, body, text } = await this.post('/api/v1/policies', policy);
    if (status !== 201) throw new Error(text);
    return String(body['id']);
  }
}

export const adminOf = ({ baseUrl, credentials }: RunningSystem) =>
  new Api(baseUrl, credentials.admin.api_key);
export const agentOf = ({ baseUrl, credentials }: RunningSystem) =>
  new Api(baseUrl, credentials.agent.api_key);
