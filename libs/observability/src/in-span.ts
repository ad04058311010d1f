import {
  type Attributes,
  context,
  isSpanContextValid,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';

const tracer = () => trace.getTracer('agentlattice');
const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

export interface SpanOptions {
  /** W3C parent from another process; without it the current span is the parent. */
  readonly traceparent?: string | null | undefined;
  readonly attributes?: Attributes;
  readonly kind?: keyof typeof kinds;
}

/** Runs `fn` in a span of its own, which is marked failed when `fn` throws. */
export async function inSpan<T>(
  name: string,
  { traceparent, attributes = {}, kind = 'internal' }: SpanOptions,
  fn: (span: Span) => T | Promise<T>,
): Promise<T> {
  const remote = traceparent ? readTraceparent(traceparent) : null;
  const parent = remote === null ? context.active() : trace.setSpanContext(context.active(), remote);
  const span = tracer().startSpan(name, { kind: kinds[kind], attributes }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => fn(span));
  } catch (error) {
    // The message may quote what a caller sent; the class of the error says enough.
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' });
    throw error;
  } finally {
    span.end();
  }
}

/** The current span as a W3C `traceparent`; null outside of every span. */
export function currentTraceparent(): string | null {
  const current = trace.getSpanContext(context.active());
  if (current === undefined || !isSpanContextValid(current)) return null;
  return `00-${current.traceId}-${current.spanId}-${current.traceFlags.toString(16).padStart(2, '0')}`;
}

function readTraceparent(text: string) {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text);
  if (match === null) return null;
  const [, traceId = '', spanId = '', flags = ''] = match;
  const read = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  };
  return isSpanContextValid(read) ? read : null;
}
