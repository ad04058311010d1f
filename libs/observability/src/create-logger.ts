import type { ServiceName } from '@agentlattice/contracts';
import { type DestinationStream, type Logger, pino } from 'pino';
import { currentTraceId } from './in-span.js';

export type { Logger } from 'pino';

const secret = ['authorization', 'password', 'api_key', 'apikey', 'key', 'secret', 'token'];
/** The names of members to redact, up to three levels deep. */
const redacted = secret.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** One JSON object a line on stdout, with the ids of the current trace; possible secrets are redacted. */
export function createLogger(service: ServiceName | 'test', level: string, to?: DestinationStream): Logger {
  const options = {
    level,
    base: { service },
    redact: { paths: redacted, censor: '[redacted]' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: () => {
      const traceId = currentTraceId();
      return traceId === null ? {} : { trace_id: traceId };
    },
  };
  return to === undefined ? pino(options) : pino(options, to);
}
