/** Monotonic, in milliseconds. */
export interface PaceClock {
  now(): number;
  after(ms: number): Promise<unknown>;
}

/** A pause of three times what the run took leaves three quarters of the time to others. */
const pauses = 3;
const longestPauseMs = 30_000;

/** How long nothing runs after a run that took so long. */
export const pauseAfter = (tookMs: number): number => Math.min(pauses * Math.max(tookMs, 0), longestPauseMs);

interface Awaited<Result> {
  readonly done: Promise<Result>;
  readonly settle: (result: Promise<Result>) => void;
}

/**
 * Costly work that any caller may ask for: one run at a time and a pause after each, for all callers and keys together. Calls
 * that wait for the same key share its next run; keys have their turns in the order in which they were first asked for.
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

  /** The result of a run that begins after this call, so it sees what was changed before. */
  next(key: string): Promise<Result> {
    const known = this.waiting.get(key);
    if (known !== undefined) return known.done;
    const awaited = awaitable<Result>();
    this.waiting.set(key, awaited);
    void this.work();
    return awaited.done;
  }

  /** The result of the run that is under way, else of the next one. */
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
