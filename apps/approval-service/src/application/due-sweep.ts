import type { DueRequest, FindDue } from '../outbound/due-requests.js';

/** A request that is due within this time, in seconds, keeps a sweep at its usual pace. */
const soonSeconds = 10;
const pageSize = 100;

export interface DueSweepPorts {
  readonly find: FindDue;
  /** A request that it cannot handle stays due; the sweep continues with the next ones. */
  readonly handle: (due: readonly DueRequest[]) => Promise<unknown>;
}

/** Handles every request whose time is past, whether its timer fired or was lost. Concurrent calls share a run. */
export class DueSweep {
  private running: Promise<boolean> | undefined;
  private next: Promise<boolean> | undefined;

  constructor(private readonly ports: DueSweepPorts) {}

  /**
   * Resolves after a run that began no earlier than this call: a hundred concurrent timers share it.
   * @returns whether something was due, or will be soon
   */
  run(): Promise<boolean> {
    if (this.running === undefined) return this.begin();
    this.next ??= this.running
      .catch(() => false)
      .then(() => {
        this.next = undefined;
        return this.begin();
      });
    return this.next;
  }

  private begin(): Promise<boolean> {
    this.running = this.sweep().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async sweep(): Promise<boolean> {
    const { find, handle } = this.ports;
    let found = false;
    for (let last: DueRequest | null = null; ;) {
      const page: DueRequest[] = await find(last, pageSize, soonSeconds);
      found ||= page.length > 0;
      const due = page.filter(({ isDue }) => isDue);
      if (due.length > 0) await handle(due);
      last = due.at(-1) ?? null;
      if (last === null || due.length < pageSize) return found;
    }
  }
}
