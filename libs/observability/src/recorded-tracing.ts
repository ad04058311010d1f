import {
  context,
  isSpanContextValid,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import type { OpenSpan, SpanOptions, Tracing } from './tracing.js';
import { readTraceparent, writeTraceparent } from './traceparent.js';

const tracer = () => trace.getTracer('agentlattice');
const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** Spans of OpenTelemetry, which its SDK samples and exports. */
export const recordedTracing: Tracing = {
  openSpan: (name, options) => {
    const parent = parentOf(options);
    const { attributes = {}, kind = 'internal' } = options;
    const span = tracer().startSpan(name, { kind: kinds[kind], attributes }, parent);
    const inside = trace.setSpan(parent, span);
    return {
      run: (fn) => context.with(inside, fn),
      end: ({ failure, attributes: more } = {}) => {
        if (more !== undefined) span.setAttributes(more);
        if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
        span.end();
      },
    } satisfies OpenSpan;
  },
  currentTraceparent: () => {
    const current = trace.getSpanContext(context.active());
    if (current === undefined || !isSpanContextValid(current)) return null;
    return writeTraceparent({ ...current, flags: current.traceFlags.toString(16).padStart(2, '0') });
  },
  currentTraceId: () => trace.getSpanContext(context.active())?.traceId ?? null,
};

function parentOf({ traceparent, headers }: SpanOptions) {
  const here = context.active();
  if (headers !== undefined) return propagation.extract(here, headers);
  const remote = traceparent ? readTraceparent(traceparent) : null;
  if (remote === null) return here;
  const { traceId, spanId, flags } = remote;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(here, { traceId, spanId, traceFlags, isRemote: true });
}
