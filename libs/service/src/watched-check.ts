import { idle, PeriodicTask } from '@agentlattice/event-store';
import type { HealthFault } from './health-registry.js';

const everyMs = 250;
/** While nothing is wrong. */
const wellMs = 2_000;
/** One failure may be a lost connection of the pool; the next statement gets a new one. */
const failuresUntilAway = 2;

/**
 * A check that runs in the background, so that readiness only reads its last result: probes and monitors add no load to a server,
 * least of all to one that is slow already.
 */
export class WatchedCheck {
  private result: readonly HealthFault[] = [];
  private failures = 0;
  private readonly first: Promise<void>;
  private readonly listeners: ((isAway: boolean) => void)[] = [];
  private readonly task: PeriodicTask;

  /** @param run never rejects, and ends in bounded time */
  constructor(name: string, run: () => Promise<readonly HealthFault[]>) {
    let began: () => void = () => {};
    this.first = new Promise((resolve) => (began = resolve));
    this.task = new PeriodicTask(
      `checking ${name}`,
      everyMs,
      async () => {
        this.note(await run());
        began();
        return this.failures === 0 ? idle : undefined;
      },
      { warn: () => {} },
      wellMs,
    );
    this.task.wake();
  }

  /** The faults of the last run; before the first one has ended its result is waited for. */
  async faults(): Promise<readonly HealthFault[]> {
    await this.first;
    return this.result;
  }

  /** Whether it failed several times, one after the other. */
  get isAway(): boolean {
    return this.failures >= failuresUntilAway;
  }

  onChange(listener: (isAway: boolean) => void): void {
    this.listeners.push(listener);
  }

  /** Something happened that may change the result. */
  wake(): void {
    this.task.wake();
  }

  stop(): Promise<void> {
    return this.task.stop();
  }

  private note(result: readonly HealthFault[]): void {
    const wasAway = this.isAway;
    this.result = result;
    this.failures = result.length === 0 ? 0 : this.failures + 1;
    if (this.isAway !== wasAway) for (const listener of this.listeners) listener(this.isAway);
  }
}
