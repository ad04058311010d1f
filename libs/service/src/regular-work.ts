/**
 * Does the work again and again, `everyMs` after it ended or as soon as it is woken; never twice at a time. A failure is
 * logged and tried again like any other turn.
 */
export class RegularWork {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<unknown> | undefined;
  private woken = false;
  private stopped = false;

  constructor(
    private readonly name: string,
    private readonly everyMs: number,
    private readonly work: () => Promise<unknown>,
    private readonly logger: { warn(fields: object, text: string): void },
  ) {}

  start(): this {
    this.timer = setTimeout(() => this.run(), this.everyMs);
    return this;
  }

  /** Begins a turn now, or another one after the turn that runs. */
  wake(): void {
    if (this.stopped) return;
    if (this.running !== undefined) {
      this.woken = true;
      return;
    }
    clearTimeout(this.timer);
    this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private run(): void {
    this.woken = false;
    this.running = this.work()
      .catch((error: unknown) => this.logger.warn({ err: error }, `${this.name} failed`))
      .finally(() => {
        this.running = undefined;
        if (this.stopped) return;
        if (this.woken) this.run();
        else this.start();
      });
  }
}
