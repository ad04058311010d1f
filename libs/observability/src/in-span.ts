import { currentSpan } from './current-span.js';
import { idsOnlyTracing } from './ids-only-tracing.js';
import type { DoneWork, OpenSpan, SpanOptions, Tracing } from './tracing.js';

let tracing: Tracing = idsOnlyTracing;

/** Sets how all later spans are made. */
export function useTracing(way: Tracing): void {
  tracing = way;
}

/** Opens a span that the caller ends. */
export const openSpan = (name: string, options: SpanOptions): OpenSpan => tracing.openSpan(name, options);

/** Runs `fn` in a span of its own, which is marked failed when `fn` throws. */
export async function inSpan<T>(name: string, options: SpanOptions, fn: () => T | Promise<T>): Promise<T> {
  const span = tracing.openSpan(name, options);
  try {
    const result = await span.run(fn);
    span.end();
    return result;
  } catch (error) {
    // The message may quote what a caller sent; the class of the error says enough.
    span.end({ failure: error instanceof Error ? error.name : 'error' });
    throw error;
  }
}

/** Runs `fn` within a trace of another process, for logs and for what it sends; it is no span. */
export const inTrace = <T>(traceparent: string | null, fn: () => T): T => tracing.inTrace(traceparent, fn);

/**
 * Records a span of work that was done for several requests together: each of them gets a span in its own trace. It costs nothing
 * for a request whose trace is not recorded.
 */
export const recordSpan = (name: string, work: DoneWork): void => tracing.recordSpan(name, work);

/** Links the current span to the span that caused its work earlier, in another trace. */
export const linkSpan = (traceparent: string | null): void => {
  if (traceparent !== null) tracing.linkSpan(traceparent);
};

/** Ends the current span although its caller is not answered yet: no span is open while a person thinks. */
export const endCurrentSpan = (attributes: SpanOptions['attributes'] = {}): void =>
  tracing.endCurrentSpan(attributes);

/** The current span as a W3C `traceparent`; null outside of every span. */
export const currentTraceparent = (): string | null => currentSpan.getStore()?.traceparent ?? null;

/** The id of the current trace, as logs name it; null outside of every span. */
export const currentTraceId = (): string | null => currentSpan.getStore()?.traceId ?? null;
