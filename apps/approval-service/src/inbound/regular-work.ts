import type { Logger } from '@agentlattice/observability';

/** Does the work again and again, `everyMs` after it ended; a failure is logged and tried again like any other turn. */
export class RegularWork {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<unknown> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly name: string,
    private readonly everyMs: number,
    private readonly work: () => Promise<unknown>,
    private readonly logger: Logger,
  ) {}

  start(): this {
    this.timer = setTimeout(() => {
      this.running = this.work()
        .catch((error: unknown) => this.logger.warn({ err: error }, `${this.name} failed`))
        .finally(() => {
          if (!this.stopped) this.start();
        });
    }, this.everyMs);
    return this;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }
}
