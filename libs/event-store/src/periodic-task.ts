import { untilMultipleOf } from './until-multiple-of.js';

/** The result of a turn that found nothing to do. */
export const idle = Symbol('idle');

/**
 * Runs the work repeatedly, `everyMs` after the last run ended or as soon as it is woken; never two runs at a time. A failure
 * is logged, and the next run follows as usual. After a turn with nothing to do, each pause is twice as long as the one
 * before, up to `idleMs`. The longest pauses of all tasks end together, at multiples of `idleMs`, so that an idle process
 * wakes up once for all of them.
 */
export class PeriodicTask {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<unknown> | undefined;
  private woken = false;
  private hastened = false;
  private stopped = false;
  private pauseMs: number;

  constructor(
    private readonly name: string,
    private readonly everyMs: number,
    private readonly work: () => Promise<unknown>,
    private readonly logger: { warn(fields: object, text: string): void },
    private readonly idleMs = everyMs,
  ) {
    this.pauseMs = everyMs;
  }

  start(): this {
    const rests = this.pauseMs === this.idleMs && this.idleMs > this.everyMs;
    this.timer = setTimeout(() => this.run(), rests ? untilMultipleOf(this.idleMs) : this.pauseMs);
    return this;
  }

  /** Begins a turn now, or another one after the current turn. */
  wake(): void {
    if (this.stopped) return;
    if (this.running !== undefined) {
      this.woken = true;
      return;
    }
    clearTimeout(this.timer);
    this.run();
  }

  /** There may be work soon: the pauses are short again. */
  hasten(): void {
    if (this.running !== undefined) this.hastened = true;
    if (this.stopped || this.running !== undefined || this.pauseMs === this.everyMs) return;
    this.pauseMs = this.everyMs;
    clearTimeout(this.timer);
    this.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private run(): void {
    // A turn that was woken before or during its run is not idle.
    const before = this.woken ? this.everyMs : this.pauseMs;
    this.woken = false;
    this.hastened = false;
    this.pauseMs = this.everyMs;
    this.running = this.work()
      .then(
        (found) => {
          if (found === idle && !this.woken && !this.hastened)
            this.pauseMs = Math.min(before * 2, this.idleMs);
        },
        (error: unknown) => this.logger.warn({ err: error }, `${this.name} failed`),
      )
      .finally(() => {
        this.running = undefined;
        if (this.stopped) return;
        if (this.woken) this.run();
        else this.start();
      });
  }
}
