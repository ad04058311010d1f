const retryAfterMs = 1_000;

/** Background work that is started on request, one run at a time. A failed run is repeated a second later. */
export class RetriedWork {
  private begun = false;
  private stopped = false;
  private retry: NodeJS.Timeout | undefined;

  /** @param onSuccess called after a successful run, when it may be started again */
  constructor(
    private readonly work: () => Promise<void>,
    private readonly onFailure: (error: unknown) => void,
    private readonly onSuccess: () => void = () => {},
  ) {}

  /** @returns whether it begins now; false while it runs or waits for its next try, and after it was stopped */
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

  /** Starts no further run; the current one continues. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.retry);
  }
}
