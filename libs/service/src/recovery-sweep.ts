import { onCommitted } from '@agentlattice/event-store';
import type pg from 'pg';
import { idle, PeriodicTask } from './periodic-task.js';

export interface RecoverySweepOptions {
  readonly name: string;
  /** Through which this process commits its events. */
  readonly pool: pg.Pool;
  readonly everyMs: number;
  readonly idleMs: number;
  /** @returns whether there was something to do, or soon will be */
  readonly work: () => Promise<boolean>;
  readonly logger: { warn(fields: object, text: string): void };
}

/**
 * Regular work under something quicker: it finds what a lost message or a dead process left. It rests while there is nothing,
 * and is at its usual pace again as soon as this process commits an event or somebody tells it of something.
 */
export class RecoverySweep {
  private readonly regular: PeriodicTask;
  private ignore: () => void = () => {};

  constructor(private readonly options: RecoverySweepOptions) {
    const { name, everyMs, idleMs, work, logger } = options;
    const turn = async () => ((await work()) ? undefined : idle);
    this.regular = new PeriodicTask(name, everyMs, turn, logger, idleMs);
  }

  start(): this {
    this.ignore = onCommitted(this.options.pool, () => this.regular.hasten());
    this.regular.start();
    return this;
  }

  /** Begins a turn now. */
  wake(): void {
    this.regular.wake();
  }

  /** Something may have to be done soon. */
  hasten(): void {
    this.regular.hasten();
  }

  async stop(): Promise<void> {
    this.ignore();
    await this.regular.stop();
  }
}
