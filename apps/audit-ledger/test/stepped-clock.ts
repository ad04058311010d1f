import { setImmediate as turn } from 'node:timers/promises';
import type { PaceClock } from '../src/application/paced-runs.js';

/** A clock that a test advances. */
export class SteppedClock implements PaceClock {
  private ms = 0;
  private readonly waiting = new Set<{ readonly at: number; readonly end: () => void }>();

  now(): number {
    return this.ms;
  }

  after(ms: number): Promise<void> {
    return new Promise((end) => this.waiting.add({ at: this.ms + ms, end }));
  }

  /** Ends the due waits in order. */
  async pass(ms: number): Promise<void> {
    const until = this.ms + ms;
    await turn();
    for (let next = this.next(); next !== undefined && next.at <= until; next = this.next()) {
      this.waiting.delete(next);
      this.ms = next.at;
      next.end();
      await turn();
    }
    this.ms = until;
  }

  private next() {
    return [...this.waiting].sort((a, b) => a.at - b.at)[0];
  }
}
