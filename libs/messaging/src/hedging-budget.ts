/**
 * How often something may be sent again: at most 100 times at once, and then a share of what is answered. Where nothing answers in time
 * because all replicas have too much to do, further requests must not multiply it (as gRPC's retry throttling, its proposal A6).
 */
export class HedgingBudget {
  private static readonly most = 100;
  private tokens = HedgingBudget.most;

  /** @param share of the answered requests: 0.2 allows one for five */
  constructor(private readonly share: number) {}

  answered(): void {
    this.tokens = Math.min(HedgingBudget.most, this.tokens + this.share);
  }

  /** @returns false when the budget is used up */
  take(): boolean {
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
