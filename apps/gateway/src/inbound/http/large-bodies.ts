import { Unavailable } from '@agentlattice/contracts';
import { type ShareLimits, Shares } from '../../domain/share.js';

/** Bodies above this are parsed, checked and written out for milliseconds, on the thread that serves everybody. */
export const largeBodyBytes = 16 * 1024;
const waitMs = 1_000;

/** A value takes a hundred nanoseconds and more to be read, sorted and written out; a byte within a text next to nothing. */
const costPerValue = 32;

/** A large body whose turn has come. */
export interface LargeBody {
  /** Its values were counted. */
  readonly charge: (values: number) => void;
  /** Gives room to the workspace's next one. */
  readonly end: () => void;
}

/** The turns of large bodies: before one is read, its workspace must have room for it. */
export class LargeBodies {
  private readonly shares: Shares;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    limits: ShareLimits = { perWorkspace: 1, inAll: 32, waiting: 32, costPerSecond: 4 * 1024 * 1024 },
  ) {
    this.shares = new Shares(limits);
  }

  /**
   * Resolves when the body may be read.
   * @throws Unavailable when the workspace's other large requests leave no room in time
   */
  turn(orgId: string, bytes: number): Promise<LargeBody> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(late);
        let ended = false;
        resolve({
          charge: (values) => this.shares.charge(orgId, values * costPerValue),
          end: () => {
            if (ended) return;
            ended = true;
            this.shares.ended(orgId);
            this.look();
          },
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
