import { idle, onCommitted, PeriodicTask } from '@agentlattice/event-store';
import type pg from 'pg';

export interface RecoverySweepOptions {
  readonly name: string;
  /** The pool that this process commits its events with. */
  readonly pool: pg.Pool;
  readonly everyMs: number;
  readonly idleMs: number;
  /** @returns whether there was something to do, or soon will be */
  readonly work: () => Promise<boolean>;
  readonly logger: { warn(fields: object, text: string): void };
}

/**
 * Periodic work that does what a lost message or a dead process left undone. Its pauses grow while there is nothing to do, and are short
 * again as soon as this process commits an event or `hasten` is called.
 */
export class RecoverySweep {
  private readonly task: PeriodicTask;
  private ignore: () => void = () => {};

  constructor(private readonly options: RecoverySweepOptions) {
    const { name, everyMs, idleMs, work, logger } = options;
    const turn = async () => ((await work()) ? undefined : idle);
    this.task = new PeriodicTask(name, everyMs, turn, logger, idleMs);
  }

  start(): this {
    this.ignore = onCommitted(this.options.pool, () => this.task.hasten());
    this.task.start();
    return this;
  }

  /** Begins a turn now. */
  wake(): void {
    this.task.wake();
  }

  /** There may be something to do soon: the pauses are short again. */
  hasten(): void {
    this.task.hasten();
  }

  async stop(): Promise<void> {
    this.ignore();
    await this.task.stop();
  }
}
