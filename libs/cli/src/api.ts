import { approvalView, problem, type Route, type RouteOutput } from '@agentlattice/contracts';
import got, { HTTPError, type Method, RequestError } from 'got';
import type { Config } from './config.js';
import { exitCode, Failure } from './exit-code.js';
import { decisionText } from './render/approval-text.js';
import { safeText } from './render/safe-text.js';
import { version } from './version.js';

export interface ApiOptions extends Config {
  /** How long to retry when the system cannot be reached. */
  readonly retryForMs: number;
  /** Called once each time the system stops answering. */
  readonly onAway?: (reason: string) => void;
}

export interface Call {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** JSON text, sent as it is. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** For how long the server may hold the answer. */
  readonly holdMs?: number;
  /** False: without an answer it is unknown whether it took effect, so it is sent again only if it was never sent. */
  readonly repeatable?: boolean;
  readonly retryForMs?: number;
}

const answerWithinMs = 15_000;
/** Error codes of a connection that was never made. */
const neverLeft: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH']);
/** After a connection of this length, an error counts as a new interruption. */
const lastedMs = 5_000;

/** The HTTP API by its route table. An answer that is not in the contract is a Failure, never an approval. */
export class Api {
  constructor(private readonly options: ApiOptions) {}

  /** @throws Failure; the signal's reason when it is aborted */
  async call<R extends Route>(route: R, call: Call = {}): Promise<RouteOutput<R>> {
    try {
      const { statusCode, body } = await got(this.urlOf(route, call), this.requestOf(route, call));
      return read(route, statusCode, body) as RouteOutput<R>;
    } catch (error) {
      if (call.signal?.aborted === true) throw call.signal.reason;
      throw this.failureOf(route, call, error);
    }
  }

  private urlOf(route: Route, { params = {}, query = {} }: Call): URL {
    const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(params[name] ?? ''),
    );
    const url = new URL(this.options.baseUrl + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return url;
  }

  private requestOf(
    route: Route,
    { body, headers, signal, holdMs = 0, repeatable = true, retryForMs }: Call,
  ) {
    const forMs = retryForMs ?? this.options.retryForMs;
    let begun = performance.now();
    let awaySince: number | undefined;
    return {
      method: route.method as Method,
      headers: {
        ...headers,
        accept: 'application/json',
        authorization: `Bearer ${this.options.apiKey}`,
        'user-agent': `agentlattice-cli/${version}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
      followRedirect: false,
      timeout: { request: holdMs + answerWithinMs },
      retry: {
        limit: Number.MAX_SAFE_INTEGER,
        methods: [route.method as Method],
        statusCodes: repeatable ? [429, 503] : [],
        backoffLimit: 16_000,
        maxRetryAfter: forMs,
        calculateDelay: ({ error, computedValue }: { error: RequestError; computedValue: number }) => {
          const now = performance.now();
          if (computedValue === 0 || (!repeatable && !neverLeft.has(error.code))) return 0;
          const wasConnected = error.code !== 'ETIMEDOUT' && now - begun > lastedMs;
          if (awaySince === undefined || wasConnected) {
            awaySince = now;
            this.options.onAway?.(reasonOf(error));
          }
          // The library's pauses begin at a second; a restarted service is back sooner.
          const delay = error instanceof HTTPError ? computedValue : computedValue / 4;
          return now - awaySince + delay > forMs ? 0 : delay;
        },
      },
      hooks: { beforeRetry: [() => void (begun = performance.now())] },
    };
  }

  private failureOf(route: Route, { repeatable = true }: Call, error: unknown): unknown {
    if (error instanceof HTTPError)
      return refusalOf(route, error.response.statusCode, String(error.response.body));
    if (!(error instanceof RequestError)) return error;
    const doubt =
      repeatable || neverLeft.has(error.code)
        ? ''
        : ' Whether it took effect is not known; look before you try again.';
    return new Failure(
      exitCode.unreachable,
      `${this.options.baseUrl} cannot be reached (${reasonOf(error)}).${doubt} Is it running, and is AL_BASE_URL right?`,
      null,
      { cause: error },
    );
  }
}

const reasonOf = (error: RequestError) =>
  error instanceof HTTPError ? `HTTP ${String(error.response.statusCode)}` : error.code || error.message;

function read(route: Route, status: number, body: string): unknown {
  const parsed = route.responses[status]?.schema.safeParse(jsonOf(body));
  if (parsed?.success === true) return parsed.data;
  throw new Failure(
    exitCode.unreachable,
    `The answer (HTTP ${String(status)}) is not one this version of al knows; is AL_BASE_URL right, and al as new as the system?`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Hints on refusals whose text is about the API. */
const hints: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'Set AL_API_KEY to a key that is in force.',
  RATE_LIMITED: 'Try again later.',
  UNAVAILABLE: 'Try again in a moment.',
  STALE: 'Try again in a moment.',
};
const forbidden: Readonly<Record<string, string>> = {
  submitAction: 'Only an agent asks: set AL_API_KEY to an agent’s key (al_agent_…).',
  approveRequest:
    'Deciding needs the key of an operator (al_op_…) with the role member, approving for ever the role admin.',
  denyRequest: 'Deciding needs the key of an operator (al_op_…) with the role member.',
};

/** A late decision is answered with the first one. */
const standingDecision = approvalView.pick({
  status: true,
  resolved_at: true,
  resolved_by: true,
  resolved_by_name: true,
  reason: true,
  denial_reason: true,
});

function refusalOf(route: Route, status: number, body: string): Failure {
  const parsed = problem.safeParse(jsonOf(body));
  if (!parsed.success)
    return new Failure(
      status >= 500 ? exitCode.unreachable : exitCode.usage,
      `The answer is HTTP ${String(status)} and not an answer of this system; is AL_BASE_URL right?`,
    );
  const { error, detail, errors = [], request_id } = parsed.data;
  const ending = standingDecision.safeParse(parsed.data['decision']);
  const hint = error === 'FORBIDDEN' ? forbidden[route.id] : hints[error];
  const lines = [
    `${safeText(detail)} (${error})${hint === undefined ? '' : `. ${hint}`}`,
    ...(errors.length === 1 && detail.includes(errors[0]?.pointer ?? '') ? [] : errors).map(
      (fault) => `  ${safeText(fault.pointer)}: ${safeText(fault.detail)}`,
    ),
    ...(ending.success ? [`  ${ending.data.status} ${decisionText(ending.data)}`] : []),
    ...(status >= 500 ? [`  request ${safeText(request_id)}`] : []),
  ];
  return new Failure(exitOf(status), lines.join('\n'), error);
}

/** The exit code: refused by the state of the request, by its form or its caller, or not answered. */
function exitOf(status: number): number {
  if (status === 429 || status >= 500) return exitCode.unreachable;
  return status === 404 || status === 409 ? exitCode.refused : exitCode.usage;
}
