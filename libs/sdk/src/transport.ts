import { AgentLatticeError, ConnectionError } from './errors.js';
import { isObject } from './is-object.js';

export interface TransportOptions {
  readonly apiKey: string;
  readonly baseUrl: string;
  /** How long to try again when the system cannot be reached or says 429, 502, 503 or 504, in milliseconds. */
  readonly retryForMs: number;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
  /** Told why, once for each time that the system stops answering and is tried again. */
  readonly onAway?: ((reason: string) => void) | undefined;
}

export interface Call {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** JSON text that is sent as it is, in place of `body`. */
  readonly bodyText?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** The answer may be held back for so long on purpose, in milliseconds. */
  readonly holdMs?: number;
  /** False: whether it took effect is not known without an answer, so it is not sent again. */
  readonly repeatable?: boolean;
  readonly retryForMs?: number;
  /** The media type of an answer that is not JSON, such as `application/x-ndjson`: its text is in `text`. */
  readonly accept?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The answer as it came, where `accept` was given. */
  readonly text?: string;
}

export const version = '0.1.0';

const answerWithinMs = 15_000;
/** A connection that lasted this long was one: what follows is a new interruption. */
const lastedMs = 5_000;
const firstDelayMs = 250;
const longestDelayMs = 16_000;
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Sends requests with the key, and again where that can do nothing twice. */
export class Transport {
  constructor(readonly options: TransportOptions) {}

  /** The same system, called with another key or other headers. */
  with(changes: Partial<TransportOptions>): Transport {
    return new Transport({ ...this.options, ...changes });
  }

  /**
   * @throws AgentLatticeError for a refusal, and for what is no answer of the API; ConnectionError when there is none;
   *   the signal's reason when it is aborted
   */
  async call(method: string, path: string, call: Call = {}): Promise<Answer> {
    const { repeatable = true, retryForMs = this.options.retryForMs, signal } = call;
    let awaySince: number | undefined;
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      const begun = Date.now();
      const failure = await this.once(method, path, call).catch((error: unknown) => {
        signal?.throwIfAborted();
        return new ConnectionError(`${this.options.baseUrl} cannot be reached (${reasonOf(error)})`, {
          cause: error,
          neverSent: neverLeft.has((error as { cause?: { code?: unknown } }).cause?.code),
        });
      });
      if (!(failure instanceof Attempt) && !(failure instanceof ConnectionError)) return failure;
      const error = failure instanceof Attempt ? failure.error : failure;
      const now = Date.now();
      const isNew = awaySince === undefined || (failure instanceof ConnectionError && now - begun > lastedMs);
      if (awaySince === undefined || isNew) {
        awaySince = begun;
        attempt = 0;
      }
      const delay = delayOf(attempt, failure);
      const mayRepeat = repeatable ? canPass(failure) : tookNoEffect(failure);
      if (!mayRepeat || now - awaySince + delay > retryForMs) throw error;
      if (isNew)
        this.options.onAway?.(
          failure instanceof Attempt ? `HTTP ${String(error.status)}` : reasonOf(error.cause),
        );
      await sleep(delay, signal);
    }
  }

  /**
   * An answer that does not end, to be read as it comes.
   * @throws AgentLatticeError for a refusal
   */
  async stream(path: string, { headers, signal }: Pick<Call, 'headers' | 'signal'>): Promise<Response> {
    const response = await this.options.fetch(this.options.baseUrl + path, {
      redirect: 'manual',
      headers: { accept: 'text/event-stream', ...this.ownHeaders(), ...headers },
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.ok) return response;
    const refusal = read(response, await response.text());
    throw refusal instanceof Attempt ? refusal.error : new Error('no stream');
  }

  private ownHeaders(): Record<string, string> {
    return {
      authorization: `Bearer ${this.options.apiKey}`,
      'x-agentlattice-client': `typescript/${version}`,
      ...this.options.headers,
    };
  }

  private async once(method: string, path: string, call: Call): Promise<Answer | Attempt> {
    const { query = {}, body, headers, signal, holdMs = 0 } = call;
    const text = call.bodyText ?? (body === undefined ? undefined : JSON.stringify(body));
    const url = new URL(this.options.baseUrl + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new Error('no answer in time')), holdMs + answerWithinMs);
    const abort = () => limit.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const response = await this.options.fetch(url, {
        method,
        redirect: 'manual',
        signal: limit.signal,
        headers: {
          accept: call.accept ?? 'application/json',
          ...this.ownHeaders(),
          ...headers,
          ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(text === undefined ? {} : { body: text }),
      });
      const came = await response.text();
      // Faults are JSON in any case.
      if (call.accept !== undefined && response.ok) return { status: response.status, body: {}, text: came };
      return read(response, came);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }
}

/** An answer that is no success. */
class Attempt {
  constructor(
    readonly error: AgentLatticeError,
    readonly retryAfterMs: number | null,
  ) {}
}

function read(response: Response, text: string): Answer | Attempt {
  const { status } = response;
  const body = parsed(text);
  const requestId = response.headers.get('x-request-id') ?? undefined;
  const known = { status, ...(requestId === undefined ? {} : { requestId }), details: body };
  if (response.ok && isObject(body)) return { status, body };
  if (status >= 400 && isObject(body) && typeof body['error'] === 'string') {
    const said = body['detail'] ?? body['message'];
    return new Attempt(
      new AgentLatticeError(body['error'], typeof said === 'string' ? said : `HTTP ${String(status)}`, known),
      retryAfterOf(response),
    );
  }
  const code = passing.has(status) ? 'UNAVAILABLE' : 'UNEXPECTED_ANSWER';
  const message = `HTTP ${String(status)} is no answer of the API; is the address right?`;
  return new Attempt(new AgentLatticeError(code, message, known), retryAfterOf(response));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), in milliseconds. */
function retryAfterOf({ headers }: Response): number | null {
  const value = headers.get('retry-after');
  if (value === null) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** What says that no connection came about. */
const neverLeft: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH']);

const tookNoEffect = (failure: Attempt | ConnectionError) =>
  failure instanceof ConnectionError ? failure.neverSent : failure.error.status === 429;

const canPass = (failure: Attempt | ConnectionError) =>
  failure instanceof ConnectionError || passing.has(failure.error.status ?? 0);

/** Doubling, with chance so that many callers do not come back at once; never before the server asks for it. */
function delayOf(attempt: number, failure: Attempt | ConnectionError): number {
  const step = Math.min(firstDelayMs * 2 ** attempt, longestDelayMs);
  const wanted = step / 2 + Math.random() * (step / 2);
  const told = failure instanceof Attempt ? failure.retryAfterMs : null;
  return told === null ? wanted : told + wanted / 4;
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: unknown; message?: unknown }; message?: unknown };
  return String(cause?.code ?? cause?.message ?? message ?? 'unknown');
}

/** @throws the signal's reason when it is aborted meanwhile */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
