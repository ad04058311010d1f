import { randomFillSync } from 'node:crypto';
import { type CurrentSpan, currentSpan } from './current-span.js';
import { remoteOf, writeTraceparent } from './traceparent.js';
import type { OpenSpan, Tracing } from './tracing.js';

/** Shared by the spans of one trace. */
interface Trace {
  id: string | null;
  readonly flags: string;
}

/** Ids are made when they are first read, because the ids of most spans are never read. */
class IdsOnlySpan implements OpenSpan, CurrentSpan {
  private spanId: string | null = null;

  /** It references its trace and not its parent, so that an endless chain of spans is not kept in memory. */
  constructor(readonly trace: Trace) {}

  get traceId(): string {
    return (this.trace.id ??= drawId(16));
  }

  get traceparent(): string {
    this.spanId ??= drawId(8);
    return writeTraceparent({ traceId: this.traceId, spanId: this.spanId, flags: this.trace.flags });
  }

  run<T>(fn: () => T): T {
    return currentSpan.run(this, fn);
  }

  end(): void {
    // Nothing is recorded.
  }
}

/**
 * Traces without OpenTelemetry: a trace keeps its id from process to process, in events and in logs. Nothing else is
 * recorded. A caller's flags are passed on unchanged (W3C Trace Context §3.3: a participant that does not record leaves them).
 */
export const idsOnlyTracing: Tracing = {
  openSpan: (_name, options) => {
    const remote = remoteOf(options);
    if (remote !== null) return new IdsOnlySpan({ id: remote.traceId, flags: remote.flags });
    const parent = currentSpan.getStore();
    return new IdsOnlySpan(parent instanceof IdsOnlySpan ? parent.trace : { id: null, flags: '00' });
  },
  inTrace: (traceparent, fn) => idsOnlyTracing.openSpan('', { traceparent }).run(fn),
  recordSpan: () => {},
  linkSpan: () => {},
  endCurrentSpan: () => {},
};

const pool = Buffer.allocUnsafe(4_096);
let used = pool.length;

/** Random bytes are read from the system for many ids at a time. */
function drawId(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}
