export { createLogger, type Logger } from './create-logger.js';
export { currentTraceparent, inSpan, type SpanOptions } from './in-span.js';
export { type Observed, observeSeconds } from './observe-seconds.js';
export { startTelemetry, type Telemetry } from './telemetry.js';
