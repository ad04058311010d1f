/** The state of a window after one more was taken. */
export interface Taken {
  readonly allowed: boolean;
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly resetMs: number;
}

/** Counts per key in windows of fixed length; a window begins with its first call. The caller passes the time. */
export class FixedWindow {
  /** In the order in which the windows end, because all have the same length. */
  private readonly windows = new Map<string, { taken: number; readonly endsAt: number }>();

  constructor(
    private readonly limit: number,
    private readonly lengthMs: number,
  ) {}

  take(taker: string, now: number): Taken {
    let window = this.windows.get(taker);
    if (window === undefined || window.endsAt <= now) {
      this.forgetEnded(now);
      window = { taken: 0, endsAt: now + this.lengthMs };
      this.windows.set(taker, window);
    }
    window.taken += 1;
    return {
      allowed: window.taken <= this.limit,
      remaining: Math.max(0, this.limit - window.taken),
      resetMs: window.endsAt - now,
    };
  }

  private forgetEnded(now: number): void {
    for (const [taker, { endsAt }] of this.windows) {
      if (endsAt > now) return;
      this.windows.delete(taker);
    }
  }
}
