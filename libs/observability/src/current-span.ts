import { AsyncLocalStorage } from 'node:async_hooks';

/** A span as code within it sees it. */
export interface CurrentSpan {
  readonly traceId: string;
  /** W3C Trace Context. */
  readonly traceparent: string;
}

/** One place for spans of both kinds, so that the innermost one is the current one. */
export const currentSpan = new AsyncLocalStorage<CurrentSpan>();
