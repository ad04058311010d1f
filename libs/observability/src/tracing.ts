import type { IncomingHttpHeaders } from 'node:http';

export interface SpanOptions {
  /** W3C parent from another process; without it the current span is the parent. */
  readonly traceparent?: string | null | undefined;
  /** The headers of the HTTP request that the span answers; they may name the parent. */
  readonly headers?: IncomingHttpHeaders;
  readonly attributes?: Readonly<Record<string, string | number>>;
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
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
  /** The current span as a W3C `traceparent`; null outside of every span. */
  currentTraceparent(): string | null;
  currentTraceId(): string | null;
}
