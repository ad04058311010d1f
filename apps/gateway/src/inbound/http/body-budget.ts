import { Unavailable } from '@agentlattice/contracts';
import type { JsonScan } from '../../domain/json-scan.js';

/**
 * About what a JSON body takes in memory until it is answered: its text a few times over, and an object or a slot for
 * each value. 256 KiB of `{}` become more than ten megabytes.
 */
export const memoryOf = (bytes: number, { values }: Pick<JsonScan, 'values'>): number =>
  3 * bytes + 80 * values;

/** A workspace alone takes no more than this part of the budget, so that four of them are needed to use it up. */
const workspacePart = 1 / 4;

/**
 * How much memory the bodies of all requests under way may take together. An answer may be held for a minute, and the
 * heap has a limit (deploy/memory.json): a request that comes when it is used up is told 503 instead of ending the process.
 */
export class BodyBudget {
  private used = 0;
  private readonly usedBy = new Map<string, number>();

  constructor(private readonly most = 96 * 1024 * 1024) {}

  /**
   * @param workspace undefined where no key is asked for
   * @throws Unavailable when too much is under way, of all or of this workspace
   */
  take(bytes: number, workspace = ''): void {
    const own = (this.usedBy.get(workspace) ?? 0) + bytes;
    if (this.used + bytes > this.most) throw new Unavailable('too many large requests are under way');
    if (own > this.most * workspacePart)
      throw new Unavailable('too many large requests of this workspace are under way');
    this.used += bytes;
    this.usedBy.set(workspace, own);
  }

  giveBack(bytes: number, workspace = ''): void {
    this.used -= bytes;
    const own = (this.usedBy.get(workspace) ?? 0) - bytes;
    if (own > 0) this.usedBy.set(workspace, own);
    else this.usedBy.delete(workspace);
  }
}
