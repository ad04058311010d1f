/** One reading of the server's clock: what it said, and when the question left and the answer came here. */
export interface ClockSample {
  readonly serverTime: number;
  readonly sentAt: number;
  readonly cameAt: number;
}

const kept = 8;

/** Keeps the newest samples; the oldest one goes first. */
export const withSample = (samples: readonly ClockSample[], sample: ClockSample): readonly ClockSample[] =>
  [...samples, sample].slice(-kept);

/**
 * How far the server's clock is ahead of this one, in milliseconds: by the sample with the shortest round trip, whose error is
 * at most half of it. No sample: 0.
 */
export function offsetOf(samples: readonly ClockSample[]): number {
  let best: ClockSample | undefined;
  for (const sample of samples)
    if (best === undefined || sample.cameAt - sample.sentAt <= best.cameAt - best.sentAt) best = sample;
  return best === undefined ? 0 : Math.round(best.serverTime - (best.sentAt + best.cameAt) / 2);
}
