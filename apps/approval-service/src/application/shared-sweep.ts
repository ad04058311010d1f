/** What is due within this time, in seconds, keeps a sweep at its usual pace. */
export const soonSeconds = 10;

/** Work that many ask for at one moment: they share a run. */
export abstract class SharedSweep {
  private running: Promise<boolean> | undefined;
  private next: Promise<boolean> | undefined;

  /** @returns whether something was due, or will be soon */
  protected abstract sweep(): Promise<boolean>;

  /** Resolves after a sweep that began no earlier than this call: a hundred timers of one moment share it. */
  run(): Promise<boolean> {
    if (this.running === undefined) return this.begin();
    this.next ??= this.running
      .catch(() => false)
      .then(() => {
        this.next = undefined;
        return this.begin();
      });
    return this.next;
  }

  private begin(): Promise<boolean> {
    this.running = this.sweep().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }
}
