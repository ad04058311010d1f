import type { SpanOptions } from './tracing.js';

/** The parts of a W3C `traceparent` header. */
export interface Traceparent {
  readonly traceId: string;
  readonly spanId: string;
  /** Two hexadecimal digits; the lowest bit says whether the caller records the trace. */
  readonly flags: string;
}

const form = /^((?!ff)[0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Null for any other text. Later versions begin like version 00 and may have more fields. */
export function readTraceparent(text: string): Traceparent | null {
  const match = form.exec(text);
  if (match === null) return null;
  const [, version, traceId = '', spanId = '', flags = '', rest] = match;
  return version === '00' && rest !== undefined ? null : { traceId, spanId, flags };
}

/** The parent from another process, if the options name one. */
export function remoteOf({
  traceparent,
  headers,
}: Pick<SpanOptions, 'traceparent' | 'headers'>): Traceparent | null {
  const text = traceparent ?? headers?.['traceparent'];
  return typeof text === 'string' ? readTraceparent(text) : null;
}

export const writeTraceparent = ({ traceId, spanId, flags }: Traceparent): string =>
  `00-${traceId}-${spanId}-${flags}`;
