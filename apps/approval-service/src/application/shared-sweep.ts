/** Work that many ask for at one moment: they share a run. */
export abstract class SharedSweep {
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  protected abstract sweep(): Promise<void>;

  /** Resolves after a sweep that began no earlier than this call: a hundred timers of one moment share it. */
  run(): Promise<void> {
    if (this.running === undefined) return this.begin();
    this.next ??= this.running
      .catch(() => {})
      .then(() => {
        this.next = undefined;
        return this.begin();
      });
    return this.next;
  }

  private begin(): Promise<void> {
    this.running = this.sweep().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }
}
