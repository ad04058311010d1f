import type { KnownApproval } from '../domain/approval.js';
import { isLate } from '../domain/decide-vote.js';
import type { Viewer } from './viewers.js';

const mostViewers = 64;

/**
 * What people can decide, remembered for as long as the states of the requests are in memory: a state does not change, and of
 * the clock only the deadline matters, which is looked at each time.
 */
export class Verdicts {
  private readonly byViewer = new Map<string, WeakMap<KnownApproval, boolean>>();

  /** Whether that viewer's vote would be taken now. */
  of(viewer: Viewer): (state: KnownApproval) => boolean {
    const known = this.byViewer.get(viewer.identity) ?? new WeakMap<KnownApproval, boolean>();
    this.byViewer.delete(viewer.identity);
    this.byViewer.set(viewer.identity, known);
    const [oldest] = this.byViewer.keys();
    if (this.byViewer.size > mostViewers && oldest !== undefined) this.byViewer.delete(oldest);
    return (state) => {
      let isTaken = known.get(state);
      if (isTaken === undefined) {
        isTaken = viewer.couldDecideInTime(state);
        known.set(state, isTaken);
      }
      return isTaken && !isLate(state, viewer.now);
    };
  }
}
