import { Unavailable } from '@agentlattice/contracts';
import { type ShareLimits, Shares } from '../../domain/share.js';

/** Bodies above this are parsed, checked and written out for milliseconds, on the thread that serves everybody. */
export const largeBodyBytes = 16 * 1024;
const waitMs = 1_000;

/** The turns of large bodies: before one is read, its workspace must have room for it. */
export class LargeBodies {
  private readonly shares: Shares;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    limits: ShareLimits = { perWorkspace: 2, inAll: 32, waiting: 32, bytesPerSecond: 4 * 1024 * 1024 },
  ) {
    this.shares = new Shares(limits);
  }

  /**
   * Resolves when the body may be read, with what to call when the request is over.
   * @throws Unavailable when the workspace's other large requests leave no room in time
   */
  turn(orgId: string, bytes: number): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(late);
        resolve(() => {
          this.shares.ended(orgId);
          this.look();
        });
      };
      const refuse = () => reject(new Unavailable('too many large requests of this workspace are under way'));
      const late = setTimeout(() => {
        this.shares.withdraw(orgId, begin);
        refuse();
      }, waitMs);
      if (this.shares.ask(orgId, bytes, begin)) return this.look();
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
