import { Unavailable } from '@agentlattice/contracts';
import type { JsonScan } from '../../domain/json-scan.js';

/**
 * The approximate memory of a JSON body until it is answered: several copies of its text, and an object or a slot for each
 * value. 256 KiB of `{}` take more than ten megabytes.
 */
export const memoryOf = (bytes: number, { values }: Pick<JsonScan, 'values'>): number =>
  3 * bytes + 80 * values;

/** The largest part of the budget for one workspace, so that no fewer than four workspaces use it up. */
const workspacePart = 1 / 4;

/**
 * The most memory that the bodies of all requests under way may take together. An answer may be held for a minute, and the heap
 * has a limit (deploy/memory.json): a request that arrives when the budget is used up gets 503 instead of ending the process.
 */
export class BodyBudget {
  private used = 0;
  private readonly usedBy = new Map<string, number>();

  constructor(private readonly most = 96 * 1024 * 1024) {}

  /**
   * @param workspace undefined on a route without a key
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
