const retryAfterMs = 1_000;

/** Work in the background that is begun when it is asked for, once at a time, and again a second after each failure. */
export class RetriedWork {
  private begun = false;
  private stopped = false;
  private retry: NodeJS.Timeout | undefined;

  /** @param onSuccess when it has ended well, and may be begun again */
  constructor(
    private readonly work: () => Promise<void>,
    private readonly onFailure: (error: unknown) => void,
    private readonly onSuccess: () => void = () => {},
  ) {}

  /** @returns whether it begins now; false while it is under way or waits for its next try, and once it was stopped */
  begin(): boolean {
    if (this.begun || this.stopped) return false;
    this.begun = true;
    this.work().then(
      () => {
        this.begun = false;
        this.onSuccess();
      },
      (error: unknown) => {
        this.onFailure(error);
        this.retry = setTimeout(() => {
          this.begun = false;
          this.begin();
        }, retryAfterMs);
      },
    );
    return true;
  }

  /** Nothing is begun from now on; the work under way goes on. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.retry);
  }
}
