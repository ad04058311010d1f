import type { Terminal } from '../../terminal.js';

const everyMs = { watched: 200, logged: 10_000 } as const;

/** Says how far a long work is: in place on a terminal, a line now and then in a log. */
export class Progress {
  private last = performance.now();

  constructor(
    private readonly terminal: Terminal,
    private readonly doing: string,
  ) {}

  at(done: number, of: number | null): void {
    const { terminal } = this;
    const now = performance.now();
    if (now - this.last < (terminal.isWatched ? everyMs.watched : everyMs.logged)) return;
    this.last = now;
    const total = of === null ? '' : ` of ${of.toLocaleString('en')}`;
    const share = of === null || of === 0 ? '' : ` (${String(Math.floor((done / of) * 100))} %)`;
    const text = `${this.doing} ${done.toLocaleString('en')}${total} entries${share}`;
    if (terminal.isWatched) terminal.status(text);
    else terminal.say(text);
  }

  end(): void {
    this.terminal.status('');
  }
}
