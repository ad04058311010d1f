export { createLogger, type Logger } from './create-logger.js';
export {
  currentTraceparent,
  endCurrentSpan,
  inSpan,
  inTrace,
  linkSpan,
  openSpan,
  recordSpan,
} from './in-span.js';
export { type Instrument, instruments, instrumentsOfTheSdk, type LabelRule } from './instruments.js';
export { count, measure, observe, type Reading, recordsMetrics, secondsSince } from './metrics.js';
export { prometheusLabel, prometheusNames } from './prometheus-names.js';
export { startTelemetry, type Telemetry } from './telemetry.js';
export type { OpenSpan, SpanOptions } from './tracing.js';
