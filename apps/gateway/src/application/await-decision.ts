import { setTimeout as sleep } from 'node:timers/promises';
import { type ApprovalStatus, Unavailable } from '@agentlattice/contracts';
import type { DecisionWakes } from '../outbound/decision-wakes.js';

/** A request of a principal; `agent_id` is null for operators. */
export interface AskedApproval {
  readonly org_id: string;
  readonly approval_id: string;
  readonly agent_id: string | null;
}

export interface AwaitDecisionPorts {
  readonly wakes: Pick<DecisionWakes, 'of' | 'ended'>;
  readonly read: (asked: AskedApproval) => Promise<ApprovalStatus>;
}

const open: ReadonlySet<ApprovalStatus['status']> = new Set(['pending', 'escalated']);
/** While somebody waits, the state is read again this often though nobody hinted at anything. */
const lookAgainMs = 10_000;
const retryMs = 500;

/**
 * How a request stands, held back until it is decided or the time is over: subscribe first, read second, wait third
 * (design §1), so that no decision falls in between.
 * @param waitMs 0 reads once
 * @param gone aborted when nobody waits for the answer any more
 */
export const makeAwaitDecision =
  ({ wakes, read }: AwaitDecisionPorts) =>
  async (asked: AskedApproval, waitMs: number, gone: AbortSignal): Promise<ApprovalStatus> => {
    const until = performance.now() + waitMs;
    let last: ApprovalStatus | undefined;
    for (;;) {
      const wake = wakes.of(asked.approval_id);
      try {
        let pauseMs = lookAgainMs;
        try {
          last = await read(asked);
        } catch (error) {
          // A request that was there a moment ago is worth waiting for.
          if (last === undefined || !(error instanceof Unavailable)) throw error;
          pauseMs = retryMs;
        }
        const leftMs = until - performance.now();
        if (!open.has(last.status) || leftMs <= 0 || gone.aborted || wakes.ended) return last;
        await heardWithin(wake.heard, Math.min(leftMs, pauseMs), gone);
      } finally {
        wake.forget();
      }
    }
  };
export type AwaitDecision = ReturnType<typeof makeAwaitDecision>;

async function heardWithin(heard: Promise<void>, ms: number, gone: AbortSignal): Promise<void> {
  const enough = new AbortController();
  const signal = AbortSignal.any([enough.signal, gone]);
  await Promise.race([heard, sleep(ms, undefined, { signal }).catch(() => {})]);
  enough.abort();
}
