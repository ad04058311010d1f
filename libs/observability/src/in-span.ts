import { idsOnlyTracing } from './ids-only-tracing.js';
import type { OpenSpan, SpanOptions, Tracing } from './tracing.js';

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

/** The current span as a W3C `traceparent`; null outside of every span. */
export const currentTraceparent = (): string | null => tracing.currentTraceparent();

/** The id of the current trace, as logs name it; null outside of every span. */
export const currentTraceId = (): string | null => tracing.currentTraceId();
