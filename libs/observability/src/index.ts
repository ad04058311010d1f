export { createLogger, type Logger } from './create-logger.js';
export { currentTraceparent, inSpan, type SpanOptions } from './in-span.js';
export { startTelemetry, type Telemetry } from './telemetry.js';
