/** The decision that stands, in the answer of a vote that came too late. */
export interface StandingDecision {
  readonly status: string;
  readonly resolved_by: string | null;
  readonly resolved_by_name?: string | null;
  readonly resolved_at: string | null;
  readonly reason: string | null;
}

/** Members of a problem (RFC 9457) that pages read. */
export interface Problem {
  readonly error?: string;
  readonly detail?: string;
  readonly title?: string;
  readonly request_id?: string;
  readonly decision?: StandingDecision;
  readonly timeout_at?: string;
  readonly errors?: readonly {
    readonly pointer?: string;
    readonly detail?: string;
    readonly message?: string;
  }[];
}

/** A refusal of the server. */
export class ApiRefusal extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    /** From Retry-After, in seconds; null when the server named no time. */
    readonly retryAfter: number | null,
  ) {
    super(problem.detail ?? problem.title ?? `The server answered ${String(status)}`);
  }

  get code(): string {
    return this.problem.error ?? '';
  }
}

/** No answer came: nobody knows whether the server acted. */
export class NoAnswer extends Error {}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface CallOptions {
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer<T> {
  readonly data: T;
  /** When the request left and when its answer came, on this machine's clock. */
  readonly sentAt: number;
  readonly cameAt: number;
}

let csrfToken = '';
let signedOut: () => void = () => undefined;
let doubted: () => void = () => undefined;

/** The token of the session, sent with every request that changes something. */
export const setCsrfToken = (token: string): void => void (csrfToken = token);

/** Called when the server no longer knows the session. */
export const onSignedOut = (listener: () => void): void => void (signedOut = listener);

/** Called when the server refuses what the session seemed to allow: another tab may have replaced it, or the role has changed. */
export const onSessionDoubted = (listener: () => void): void => void (doubted = listener);

/** Sends a request with the session's cookie. @throws ApiRefusal, NoAnswer */
export async function send<T>(method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
  const sentAt = Date.now();
  const response = await fetchOnce(method, path, options);
  const text = await response.text().catch((cause: unknown) => {
    throw new NoAnswer('The answer was cut off', { cause });
  });
  const cameAt = Date.now();
  if (!response.ok) {
    const refusal = refusalOf(response, text);
    if (refusal.code === 'UNAUTHENTICATED') signedOut();
    if (refusal.code === 'CSRF' || refusal.code === 'FORBIDDEN') doubted();
    throw refusal;
  }
  return { data: (text === '' ? undefined : JSON.parse(text)) as T, sentAt, cameAt };
}

/** As `send`, for callers that need the body only. */
export const call = async <T>(method: string, path: string, options?: CallOptions): Promise<T> =>
  (await send<T>(method, path, options)).data;

const longestReadMs = 20_000;

async function fetchOnce(method: string, path: string, { query, body, signal, headers }: CallOptions) {
  try {
    return await fetch(path + searchOf(query), {
      method,
      credentials: 'same-origin',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'GET' ? {} : { 'x-csrf-token': csrfToken }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([
        ...(signal === undefined ? [] : [signal]),
        // A connection that died without a word must not stop the page; only a check of the log takes longer.
        ...(method === 'GET' && query?.['wait'] === undefined ? [AbortSignal.timeout(longestReadMs)] : []),
      ]),
    });
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new NoAnswer('The server cannot be reached', { cause });
  }
}

function searchOf(query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') search.set(name, String(value));
  return search.size === 0 ? '' : `?${search.toString()}`;
}

function refusalOf(response: Response, text: string): ApiRefusal {
  let problem: Problem = {};
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    // An answer of a proxy, for example; the status says enough.
  }
  const after = Number(response.headers.get('retry-after') ?? NaN);
  return new ApiRefusal(response.status, problem, Number.isFinite(after) ? after : null);
}

export const pathSegment = (id: string): string => encodeURIComponent(id);
