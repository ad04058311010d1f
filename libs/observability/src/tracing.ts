import type { IncomingHttpHeaders } from 'node:http';

export interface SpanOptions {
  /** W3C parent from another process; without it the current span is the parent. */
  readonly traceparent?: string | null | undefined;
  /** The headers of the HTTP request that the span answers; they may name the parent. */
  readonly headers?: IncomingHttpHeaders;
  readonly attributes?: Readonly<Record<string, string | number>>;
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
}

/** Work for one request that was done together with work for others, and is over. */
export interface DoneWork {
  readonly traceparent: string | null;
  readonly kind?: SpanOptions['kind'];
  readonly attributes?: SpanOptions['attributes'];
  /** Reading of `performance.now()`. */
  readonly startedAt: number;
  readonly failure?: string;
}

export interface SpanEnd {
  /** Set when the work failed; never contains input of a caller. */
  readonly failure?: string;
  readonly attributes?: SpanOptions['attributes'];
}

/** A unit of work within a trace. */
export interface OpenSpan {
  /** Runs `fn` with this as the current span, also for work that `fn` awaits or starts. */
  run<T>(fn: () => T): T;
  end(how?: SpanEnd): void;
}

/** How spans are made: recorded and exported, or for their ids only. */
export interface Tracing {
  openSpan(name: string, options: SpanOptions): OpenSpan;
  /** Runs `fn` within a trace of another process, without a span. */
  inTrace<T>(traceparent: string | null, fn: () => T): T;
  /** Records a span that ends now. */
  recordSpan(name: string, work: DoneWork): void;
  /** Links the current span to a span of another trace. */
  linkSpan(traceparent: string): void;
  /** Ends the current span before its `run` ends. */
  endCurrentSpan(attributes: SpanOptions['attributes']): void;
}
