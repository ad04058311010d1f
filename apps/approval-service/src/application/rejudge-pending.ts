import { randomUUID } from 'node:crypto';
import { Unavailable } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import { askForJudgements, isReadable, isUnerased } from '../outbound/ask-for-judgements.js';
import { fanOutPolicyChanges } from '../outbound/policy-changes.js';
import {
  type Claim,
  claimRejudgings,
  deleteClaimed,
  findWorkspacesToRejudge,
  releaseClaim,
} from '../outbound/rejudging-queue.js';
import { wakeWaiters, type Waker } from '../outbound/wake-waiters.js';
import { type ApplyJudgements, isPolicyChanged } from './apply-judgements.js';

export interface RejudgePendingPorts {
  readonly pool: pg.Pool;
  readonly apply: ApplyJudgements;
  readonly commands: CommandClient;
  readonly nc: Waker;
  /** Called with the requests that another policy governs now. */
  readonly onPolicyReplaced: (requests: readonly { org_id: string; approval_id: string }[]) => void;
  readonly logger: Logger;
}

const answerWithinMs = 2_000;
/**
 * Longer than a run that waits for the engine; together with the pauses of the sweep it is shorter than the promised recovery
 * after the loss of a process (15 s).
 */
const leaseMs = 3 * answerWithinMs;

/**
 * Judges pending requests again after the policies changed, oldest first: claims a batch, asks the policy-engine outside of
 * any transaction, and applies the answer in one commit. Nothing is decided without a judgement: while the engine is
 * unreachable, nothing changes. Several replicas may run this at the same time. The claim of a replica that died expires.
 * @returns whether there was anything to do
 */
export const makeRejudgePending = (ports: RejudgePendingPorts) => async (): Promise<boolean> => {
  const { pool, logger } = ports;
  const failed = new Set<string>();
  let found = false;
  // A batch of each workspace in turn, so that a workspace with many requests does not delay the others.
  for (;;) {
    await fanOutPolicyChanges(pool);
    let done = 0;
    for (const orgId of await findWorkspacesToRejudge(pool)) {
      found = true;
      if (failed.has(orgId)) continue;
      try {
        done += await rejudgeBatch({ orgId, claimId: randomUUID() }, ports);
      } catch (error) {
        failed.add(orgId);
        const level = error instanceof Unavailable ? 'debug' : 'error';
        logger[level]({ err: error, org_id: orgId }, 'pending requests are not judged again yet');
      }
    }
    if (done === 0) return found;
  }
};
export type RejudgePending = ReturnType<typeof makeRejudgePending>;

/** @returns how many requests are done */
async function rejudgeBatch(claim: Claim, ports: RejudgePendingPorts): Promise<number> {
  const { pool, logger } = ports;
  const claimed = await claimRejudgings(pool, claim, leaseMs);
  if (claimed.length === 0) return 0;
  let done = 0;
  try {
    const open = claimed.filter((request) => request.open);
    const readable = open.filter(isReadable);
    const whole = readable.filter(isUnerased);
    for (const { approval_id } of open.filter((request) => !isReadable(request)))
      logger.error(
        { org_id: claim.orgId, approval_id },
        'a pending request cannot be judged again: its first event cannot be read',
      );
    // A condition on missing values might hold and clear the action, so it is not judged.
    for (const { approval_id } of readable.filter((request) => !isUnerased(request)))
      logger.warn(
        { org_id: claim.orgId, approval_id },
        'the submitted values are erased; the request is not judged again and waits for a person',
      );
    const without = claimed.filter(
      (request) => !request.open || (isReadable(request) && !isUnerased(request)),
    );
    await deleteClaimed(
      pool,
      claim,
      without.map(({ approval_id }) => approval_id),
    );
    done = without.length;
    done += await rejudge(claim, whole, ports);
    return done;
  } finally {
    const ids = claimed.map(({ approval_id }) => approval_id);
    if (done < claimed.length)
      await releaseClaim(pool, claim, ids).catch((error: unknown) =>
        logger.debug({ err: error, org_id: claim.orgId }, 'a claim is not released; it expires'),
      );
  }
}

async function rejudge(
  claim: Claim,
  requests: Parameters<typeof askForJudgements>[2],
  { apply, commands, nc, onPolicyReplaced }: RejudgePendingPorts,
): Promise<number> {
  const judged = await askForJudgements(commands, claim.orgId, requests, answerWithinMs);
  const applied = await apply(claim, judged);
  const events = applied.flatMap((one) => one.events);
  wakeWaiters(nc, events);
  onPolicyReplaced(
    events.filter(isPolicyChanged).map(({ org_id, stream_id: approval_id }) => ({ org_id, approval_id })),
  );
  return applied.filter(({ done }) => done).length;
}
