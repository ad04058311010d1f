export { createLogger, type Logger } from './create-logger.js';
export { type Observed, observeSeconds } from './observe-seconds.js';
export { currentTraceparent, inSpan, openSpan } from './in-span.js';
export { startTelemetry, type Telemetry } from './telemetry.js';
export type { OpenSpan, SpanOptions } from './tracing.js';
