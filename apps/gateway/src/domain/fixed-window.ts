/** How a taker stands after taking one. */
export interface Taken {
  readonly allowed: boolean;
  readonly remaining: number;
  /** Until the taker's window ends. */
  readonly resetMs: number;
}

/** Counts takers in windows of fixed length, each of which begins with the first taking in it. The caller passes the time. */
export class FixedWindow {
  /** In the order in which the windows end, since all are equally long. */
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
