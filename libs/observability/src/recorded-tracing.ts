import {
  type Context,
  context,
  isSpanContextValid,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import type { OpenSpan, SpanOptions, Tracing } from './tracing.js';
import { readTraceparent, type Traceparent, writeTraceparent } from './traceparent.js';

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** Spans of OpenTelemetry, which its SDK samples and exports; it must be started before. */
export function recordedTracing(): Tracing {
  const tracer = trace.getTracer('agentlattice');
  return {
    openSpan: (name, options) => {
      const parent = parentOf(options);
      const { attributes = {}, kind = 'internal' } = options;
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, parent);
      const inside = trace.setSpan(parent, span);
      return {
        run: (fn) => context.with(inside, fn),
        end: ({ failure, attributes: more } = {}) => {
          // It is not recorded, or was ended before a wait.
          if (!span.isRecording()) return;
          if (more !== undefined) span.setAttributes(more);
          if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
          span.end();
        },
      } satisfies OpenSpan;
    },
    inTrace: (traceparent, fn) => context.with(parentOf({ traceparent }), fn),
    recordSpan: (name, { traceparent, kind = 'internal', attributes = {}, startedAt, failure }) => {
      const remote = traceparent === null ? null : readTraceparent(traceparent);
      if (remote === null || !isSampled(remote)) return;
      const span = tracer.startSpan(
        name,
        { kind: kinds[kind], attributes, startTime: startedAt },
        remoteContext(context.active(), remote),
      );
      if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      span.end();
    },
    linkSpan: (traceparent) => {
      const remote = readTraceparent(traceparent);
      const span = trace.getActiveSpan();
      if (remote !== null && span?.spanContext().traceId !== remote.traceId)
        span?.addLink({ context: spanContextOf(remote) });
    },
    endCurrentSpan: (attributes = {}) => {
      const span = trace.getActiveSpan();
      if (span?.isRecording() !== true) return;
      span.setAttributes(attributes);
      span.end();
    },
    currentTraceparent: () => {
      const current = trace.getSpanContext(context.active());
      if (current === undefined || !isSpanContextValid(current)) return null;
      return writeTraceparent({ ...current, flags: current.traceFlags.toString(16).padStart(2, '0') });
    },
    currentTraceId: () => trace.getSpanContext(context.active())?.traceId ?? null,
  };
}

function parentOf({ traceparent, headers }: Pick<SpanOptions, 'traceparent' | 'headers'>) {
  const here = context.active();
  if (headers !== undefined)
    return headers['traceparent'] === undefined ? here : propagation.extract(here, headers);
  const remote = traceparent ? readTraceparent(traceparent) : null;
  return remote === null ? here : remoteContext(here, remote);
}

const flagsOf = ({ flags }: Traceparent) => Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
const isSampled = (remote: Traceparent) => flagsOf(remote) === TraceFlags.SAMPLED;
const spanContextOf = (remote: Traceparent) => ({
  traceId: remote.traceId,
  spanId: remote.spanId,
  traceFlags: flagsOf(remote),
  isRemote: true,
});
const remoteContext = (here: Context, remote: Traceparent) =>
  trace.setSpanContext(here, spanContextOf(remote));
