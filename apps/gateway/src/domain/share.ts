/** The limits of large requests at one gateway. */
export interface ShareLimits {
  /** Large requests under way at once, of one workspace and of all. */
  readonly perWorkspace: number;
  readonly inAll: number;
  /** Large requests of one workspace that wait for their turn. */
  readonly waiting: number;
  /** The cost of the large requests of a workspace that may begin in a second. */
  readonly costPerSecond: number;
}

/** After a pause a workspace may begin the requests of this time at once. */
const burstMs = 1_000;

interface Waiting {
  readonly cost: number;
  readonly begin: () => void;
}
interface Workspace {
  underWay: number;
  waiting: Waiting[];
  /** Until this time the next request of the workspace does not begin. */
  nextAt: number;
}

/**
 * Decides which large request may begin: workspaces take turns, and each has few under way at once and a rate. The caller
 * passes the time and asks again at `nextAt`.
 */
export class Shares {
  private readonly workspaces = new Map<string, Workspace>();
  private underWay = 0;

  constructor(private readonly limits: ShareLimits) {}

  /** False when the workspace has too many waiting: `begin` is never called then. */
  ask(orgId: string, cost: number, begin: () => void): boolean {
    const workspace = this.workspaces.get(orgId) ?? {
      underWay: 0,
      waiting: [],
      nextAt: Number.NEGATIVE_INFINITY,
    };
    if (workspace.waiting.length >= this.limits.waiting) return false;
    workspace.waiting.push({ cost, begin });
    this.workspaces.set(orgId, workspace);
    return true;
  }

  /** Takes a waiting request out of the queue. It has no effect on one that has begun. */
  withdraw(orgId: string, begin: () => void): void {
    const workspace = this.workspaces.get(orgId);
    if (workspace !== undefined)
      workspace.waiting = workspace.waiting.filter((waiting) => waiting.begin !== begin);
  }

  ended(orgId: string): void {
    const workspace = this.workspaces.get(orgId);
    if (workspace === undefined) return;
    workspace.underWay--;
    this.underWay--;
  }

  /**
   * Begins all requests that may begin.
   * @returns the time of the next call although no request ended; undefined when only the end of a request can change anything
   */
  beginDue(now: number): number | undefined {
    let again: number | undefined;
    for (const [orgId, workspace] of [...this.workspaces]) {
      const { underWay, waiting, nextAt } = workspace;
      const [first] = waiting;
      if (first === undefined) {
        if (underWay === 0 && nextAt <= now - burstMs) this.workspaces.delete(orgId);
        continue;
      }
      if (underWay >= this.limits.perWorkspace || this.underWay >= this.limits.inAll) continue;
      if (nextAt > now) {
        again = Math.min(again ?? nextAt, nextAt);
        continue;
      }
      waiting.shift();
      workspace.underWay++;
      this.underWay++;
      workspace.nextAt = Math.max(nextAt, now - burstMs) + this.msFor(first.cost);
      // The next turn goes to another workspace.
      this.workspaces.delete(orgId);
      this.workspaces.set(orgId, workspace);
      first.begin();
      if (waiting.length > 0) again = Math.min(again ?? workspace.nextAt, workspace.nextAt);
    }
    return again;
  }

  private msFor(cost: number): number {
    return (1_000 * cost) / this.limits.costPerSecond;
  }
}
