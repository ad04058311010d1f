/** Monotonic, in milliseconds. */
export interface PaceClock {
  now(): number;
  after(ms: number): Promise<unknown>;
}

/** A pause of three times the run leaves three quarters of the time to other work. */
const pauses = 3;
const longestPauseMs = 30_000;

/** The pause after a run of this length. */
export const pauseAfter = (tookMs: number): number => Math.min(pauses * Math.max(tookMs, 0), longestPauseMs);

interface Awaited<Result> {
  readonly done: Promise<Result>;
  readonly settle: (result: Promise<Result>) => void;
}

/**
 * Expensive work that any caller may request: one run at a time and a pause after each, for all callers and keys together.
 * Calls that wait for the same key share its next run; keys take turns in the order of their first request.
 */
export class PacedRuns<Result> {
  /** In the order of their turns. */
  private readonly waiting = new Map<string, Awaited<Result>>();
  private running: { readonly key: string; readonly done: Promise<Result> } | null = null;
  private working = false;
  private notBefore = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly run: (key: string) => Promise<Result>,
    private readonly clock: PaceClock,
  ) {}

  /** The result of a run that begins after this call, so it sees all earlier changes. */
  next(key: string): Promise<Result> {
    const known = this.waiting.get(key);
    if (known !== undefined) return known.done;
    const awaited = awaitable<Result>();
    this.waiting.set(key, awaited);
    void this.work();
    return awaited.done;
  }

  /** The result of the current run, or of the next one. */
  nearest(key: string): Promise<Result> {
    return this.running?.key === key ? this.running.done : this.next(key);
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    for (let [first] = this.waiting; first !== undefined; [first] = this.waiting) {
      const pause = this.notBefore - this.clock.now();
      if (pause > 0) await this.clock.after(pause);
      else await this.runNow(...first);
    }
    this.working = false;
  }

  private async runNow(key: string, { done, settle }: Awaited<Result>): Promise<void> {
    this.waiting.delete(key);
    this.running = { key, done };
    const began = this.clock.now();
    settle(this.run(key));
    await done.catch(() => {});
    const ended = this.clock.now();
    this.notBefore = ended + pauseAfter(ended - began);
    this.running = null;
  }
}

function awaitable<Result>(): Awaited<Result> {
  let settle: (result: Promise<Result>) => void = () => {};
  const done = new Promise<Result>((resolve) => (settle = resolve));
  return { done, settle };
}
