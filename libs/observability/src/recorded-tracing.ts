import {
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { type CurrentSpan, currentSpan } from './current-span.js';
import { idsOnlyTracing } from './ids-only-tracing.js';
import { readTraceparent, remoteOf, type Traceparent, writeTraceparent } from './traceparent.js';
import type { OpenSpan, SpanEnd, Tracing } from './tracing.js';

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** A span of the SDK, or one of another process that is recorded. */
class RecordedSpan implements OpenSpan, CurrentSpan {
  constructor(readonly span: Span) {}

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.span.spanContext();
    return writeTraceparent({ traceId, spanId, flags: traceFlags.toString(16).padStart(2, '0') });
  }

  run<T>(fn: () => T): T {
    return currentSpan.run(this, fn);
  }

  end({ failure, attributes }: SpanEnd = {}): void {
    // It is not recorded, or was ended before a wait.
    if (!this.span.isRecording()) return;
    if (attributes !== undefined) this.span.setAttributes(attributes);
    if (failure !== undefined) this.span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    this.span.end();
  }
}

/**
 * Spans of OpenTelemetry, whose SDK exports them; it must be started before.
 * @param share of the traces that begin here, 0 to 1, that are recorded; a trace of a caller is recorded when its flag says so. The others
 * never reach the SDK, which takes some 40 µs for a span that it drops. null: the sampler of the SDK decides on each span
 */
export function recordedTracing(share: number | null): Tracing {
  const tracer = trace.getTracer('agentlattice');
  const isRecorded = (remote: Traceparent) => share === null || isSampled(remote);

  /** What a new span hangs below; null: it is not recorded. */
  function parentOf(remote: Traceparent | null) {
    if (remote !== null) return isRecorded(remote) ? below(spanOf(remote)) : null;
    const here = currentSpan.getStore();
    if (here instanceof RecordedSpan) return below(here.span);
    if (share === null) return ROOT_CONTEXT;
    return here === undefined && Math.random() < share ? ROOT_CONTEXT : null;
  }

  return {
    openSpan: (name, options) => {
      const parent = parentOf(remoteOf(options));
      if (parent === null) return idsOnlyTracing.openSpan(name, options);
      const { attributes = {}, kind = 'internal' } = options;
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, parent);
      // Where spans are not exported (`OTEL_TRACES_EXPORTER=none`) a new trace gets no id from the SDK.
      if (!isSpanContextValid(span.spanContext())) return idsOnlyTracing.openSpan(name, options);
      return new RecordedSpan(span);
    },
    inTrace: (traceparent, fn) => {
      const remote = remoteOf({ traceparent });
      if (remote === null) return fn();
      return isRecorded(remote)
        ? new RecordedSpan(spanOf(remote)).run(fn)
        : idsOnlyTracing.inTrace(traceparent, fn);
    },
    recordSpan: (name, { traceparent, kind = 'internal', attributes = {}, startedAt, failure }) => {
      const remote = remoteOf({ traceparent });
      if (remote === null || !isSampled(remote)) return;
      const span = tracer.startSpan(
        name,
        { kind: kinds[kind], attributes, startTime: startedAt },
        below(spanOf(remote)),
      );
      if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      span.end();
    },
    linkSpan: (traceparent) => {
      const remote = readTraceparent(traceparent);
      const here = currentSpan.getStore();
      if (remote !== null && here instanceof RecordedSpan && here.traceId !== remote.traceId)
        here.span.addLink({ context: spanContextOf(remote) });
    },
    endCurrentSpan: (attributes = {}) => {
      const here = currentSpan.getStore();
      if (here instanceof RecordedSpan) here.end({ attributes });
    },
  };
}

const flagsOf = ({ flags }: Traceparent) => Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
const isSampled = (remote: Traceparent) => flagsOf(remote) === TraceFlags.SAMPLED;
const spanContextOf = (remote: Traceparent) => ({
  traceId: remote.traceId,
  spanId: remote.spanId,
  traceFlags: flagsOf(remote),
  isRemote: true,
});
const spanOf = (remote: Traceparent) => trace.wrapSpanContext(spanContextOf(remote));
const below = (parent: Span) => trace.setSpan(ROOT_CONTEXT, parent);
