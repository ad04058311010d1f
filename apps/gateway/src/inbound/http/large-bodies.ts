import { Unavailable } from '@agentlattice/contracts';
import type { JsonScan } from '../../domain/json-scan.js';
import { type ShareLimits, Shares } from '../../domain/share.js';

/** A body that costs more keeps the thread, which serves all requests, for milliseconds. */
export const largeBodyCost = 32 * 1024;

/** The cost of a value: reading, sorting and serialising it takes a hundred nanoseconds and more; a byte of a text almost none. */
const costPerValue = 32;
export const costOf = (bytes: number, { values }: Pick<JsonScan, 'values'>): number =>
  bytes + costPerValue * values;

const waitMs = 1_000;

/** The turns of large bodies: before one is parsed, its workspace must have room for it. */
export class LargeBodies {
  private readonly shares: Shares;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    limits: ShareLimits = { perWorkspace: 1, inAll: 32, waiting: 32, costPerSecond: 4 * 1024 * 1024 },
  ) {
    this.shares = new Shares(limits);
  }

  /**
   * Resolves when the body may be parsed, with a function that lets the next one begin; it may be called more than once.
   * @throws Unavailable when the workspace's other large requests leave no room in time
   */
  turn(orgId: string, cost: number): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(late);
        let ended = false;
        resolve(() => {
          if (ended) return;
          ended = true;
          this.shares.ended(orgId);
          this.look();
        });
      };
      const refuse = () => reject(new Unavailable('too many large requests of this workspace are under way'));
      const late = setTimeout(() => {
        this.shares.withdraw(orgId, begin);
        refuse();
      }, waitMs);
      if (this.shares.ask(orgId, cost, begin)) return this.look();
      clearTimeout(late);
      refuse();
    });
  }

  private look(): void {
    clearTimeout(this.timer);
    const now = performance.now();
    const again = this.shares.beginDue(now);
    if (again !== undefined) this.timer = setTimeout(() => this.look(), Math.ceil(again - now));
  }
}
