const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Pauses after each failure while the request is pending; the last one repeats. */
const whilePending = [1, 5, 15, 30, 60].map((seconds) => seconds * secondMs);
/** Standard Webhooks: pauses after each failure; none is left after the last. */
const standard = [
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  ...[2, 5, 10, 14, 20, 24].map((h) => h * hourMs),
];
const maxRetryAfterMs = 24 * hourMs;

export interface FailedAttempt {
  /** Failures in a row with this one. */
  readonly failures: number;
  readonly now: Date;
  /** The deadline of the pending request; null when no request waits for this delivery. */
  readonly pendingUntil: Date | null;
  /** The pause that the receiver asked for. */
  readonly retryAfterMs: number | null;
  /** 0 ≤ jitter < 1, so that deliveries that failed together are not tried again together. */
  readonly jitter: number;
}

/** The time of the next attempt (decisions §7.4); null after the last one. */
export function nextAttempt({
  failures,
  now,
  pendingUntil,
  retryAfterMs,
  jitter,
}: FailedAttempt): Date | null {
  const pause =
    pendingUntil === null
      ? spread(standard[failures - 1], jitter)
      : (whilePending[failures - 1] ?? whilePending.at(-1));
  if (pause === undefined) return null;
  const asked = Math.min(retryAfterMs ?? 0, maxRetryAfterMs);
  const next = new Date(now.getTime() + Math.max(pause, asked));
  return pendingUntil !== null && next >= pendingUntil ? null : next;
}

/** Up to a fifth later, never earlier. */
const spread = (pause: number | undefined, jitter: number) =>
  pause === undefined ? undefined : Math.round(pause * (1 + jitter / 5));

/** Milliseconds that a Retry-After header asks for: seconds or a date (RFC 9110 §10.2.3); null for any other text. */
export function retryAfterMs(header: string | undefined, now: Date): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * secondMs;
  const at = /^[A-Za-z]{3,9}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}
