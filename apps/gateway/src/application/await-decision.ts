import { type ApprovalStatus, Unavailable, type WakeHint } from '@agentlattice/contracts';
import { endCurrentSpan, measure } from '@agentlattice/observability';
import type { ApprovalReference } from '../domain/opened-requests.js';
import type { DecisionWakes } from './decision-wakes.js';

export interface AwaitDecisionPorts {
  readonly wakes: Pick<DecisionWakes, 'of' | 'ended' | 'pendingFor'>;
  readonly read: (reference: ApprovalReference) => Promise<ApprovalStatus>;
}

const open: ReadonlySet<ApprovalStatus['status']> = new Set(['pending', 'escalated']);
/** While a caller waits, the state is read this often without a wake-up. */
const lookAgainMs = 10_000;
const retryMs = 500;

/**
 * Returns the state of a request once it is decided or the time is over. It subscribes first, reads second and waits third
 * (design §1), so that no decision is missed in between. A wake-up with the outcome saves a second reading, and a request
 * that this gateway opened a moment ago is not read before its first wake-up.
 * @param waitMs 0: read once
 * @param gone aborted when the caller no longer waits
 */
export const makeAwaitDecision =
  ({ wakes, read }: AwaitDecisionPorts) =>
  async (reference: ApprovalReference, waitMs: number, gone: AbortSignal): Promise<ApprovalStatus> => {
    const until = performance.now() + waitMs;
    let last: ApprovalStatus | undefined;
    let wasPending = false;
    let wasHeld = false;
    for (;;) {
      const wake = wakes.of(reference.approval_id);
      try {
        let pauseMs = waitMs === 0 ? 0 : wakes.pendingFor(reference);
        if (pauseMs === 0) {
          pauseMs = lookAgainMs;
          try {
            last = await read(reference);
          } catch (error) {
            // The request existed a moment ago: go on waiting.
            if ((last === undefined && !wasPending) || !(error instanceof Unavailable)) throw error;
            pauseMs = retryMs;
          }
          if (last !== undefined && !open.has(last.status)) return wasHeld ? answered(last) : last;
        } else wasPending = true;
        const leftMs = until - performance.now();
        if (leftMs <= 0 || gone.aborted || wakes.ended) return last ?? (await read(reference));
        // A person may think for longer than a trace lives.
        endCurrentSpan({ 'agentlattice.wait': 'true' });
        wasHeld = true;
        const hint = await wokenWithin(wake.woken, Math.min(leftMs, pauseMs), gone);
        // The caller was shown this request of this workspace, so it may see the outcome.
        if (hint?.org_id === reference.org_id && !open.has(hint.ended.status)) return answered(hint.ended);
      } finally {
        wake.forget();
      }
    }
  };
export type AwaitDecision = ReturnType<typeof makeAwaitDecision>;

/** Measures how long after the decision a caller that was held is answered. */
function answered(ended: ApprovalStatus): ApprovalStatus {
  const { status, resolved_at } = ended;
  if (resolved_at !== null && (status === 'approved' || status === 'denied' || status === 'timed_out'))
    measure('agentlattice.unblock.duration', Math.max(0, Date.now() - Date.parse(resolved_at)) / 1_000, {
      outcome: status,
    });
  return ended;
}

/** @returns null when the state has to be read */
function wokenWithin(
  woken: Promise<WakeHint | null>,
  ms: number,
  gone: AbortSignal,
): Promise<WakeHint | null> {
  return new Promise((resolve) => {
    const end = (hint: WakeHint | null) => {
      clearTimeout(timer);
      gone.removeEventListener('abort', stop);
      resolve(hint);
    };
    const stop = () => end(null);
    const timer = setTimeout(stop, ms);
    gone.addEventListener('abort', stop);
    void woken.then(end);
  });
}
