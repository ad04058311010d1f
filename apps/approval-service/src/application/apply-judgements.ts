import { type EventStore, inTransaction, type StoredEvent, type Tx } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import { type Approval, isOpen } from '../domain/approval.js';
import { type ApprovalCommand, approvalDecider } from '../domain/approval-decider.js';
import { noteOf } from '../domain/policy-change-note.js';
import { readApprovalEvent } from '../domain/replay-approval.js';
import { showConditions } from '../outbound/approval-rows.js';
import type { JudgedRequest } from '../outbound/ask-for-judgements.js';
import { setNextEscalations } from '../outbound/escalation-times.js';
import { findKnownRemovals, findKnownVersions, type KnownRemoval } from '../outbound/policy-changes.js';
import { projectApprovals } from '../outbound/project-approvals.js';
import { type Claim, deleteClaimed, lockClaimed } from '../outbound/rejudging-queue.js';
import { isolateUnreadable } from './isolate-unreadable.js';
import { systemMeta } from './system-meta.js';

export interface ApplyJudgementsPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly grantTtlSeconds: number;
  readonly logger: Logger;
}

/** The result for a judged request. */
interface Applied {
  /** False if it must be claimed and judged again. */
  readonly done: boolean;
  readonly events: readonly StoredEvent[];
}

const judgedAgain: Applied = { done: false, events: [] };
/** Its judgement follows from a change whose event has not arrived: that change notes the request again. */
const appliedByLaterChange: Applied = { done: true, events: [] };

type ExplainedRequest = JudgedRequest & { readonly on_removed: KnownRemoval['on_removed'] | null };

/**
 * Applies judgements to the requests that they were asked for, in one commit with the end of their claim. A judgement is left
 * out, and the request judged again, where the claim was lost, a newer change of policies concerns the request, or the
 * request changed since it was claimed.
 * @returns for each of the judged requests, in the order given, its result
 */
export const makeApplyJudgements =
  ({ pool, store, grantTtlSeconds, logger }: ApplyJudgementsPorts) =>
  (claim: Claim, judged: readonly JudgedRequest[]): Promise<Applied[]> => {
    return isolateUnreadable(
      judged,
      (requests) => inTransaction(pool, (tx) => applyIn(tx, requests)),
      ({ approval_id }, error) => {
        logger.error({ err: error, approval_id }, 'a pending request cannot be judged again');
        return judgedAgain;
      },
    );

    async function applyIn(tx: Tx, requests: readonly JudgedRequest[]): Promise<Applied[]> {
      const held = await lockClaimed(tx, claim, requests);
      const claimed = requests.filter(({ approval_id }) => held.has(approval_id));
      const explained = await explainedBy(tx, claim.orgId, claimed);
      const decided = explained.length === 0 ? new Map<string, Applied>() : await decide(tx, explained);
      const applied = new Map(
        claimed.map(({ approval_id }) => [approval_id, decided.get(approval_id) ?? appliedByLaterChange]),
      );
      await deleteClaimed(
        tx,
        claim,
        [...applied].flatMap(([id, { done }]) => (done ? [id] : [])),
      );
      return requests.map(({ approval_id }) => applied.get(approval_id) ?? judgedAgain);
    }

    async function decide(
      tx: Tx,
      requests: readonly ExplainedRequest[],
    ): Promise<ReadonlyMap<string, Applied>> {
      const { orgId } = claim;
      const { states, events } = await store.updateMany({
        tx,
        decider: approvalDecider,
        streams: requests.map((request) => ({
          orgId,
          streamId: request.approval_id,
          meta: systemMeta(request),
          request,
        })),
        command: (now, { request }): ApprovalCommand => ({
          type: 'ApplyJudgement',
          judgement: request.judgement,
          version: request.version,
          change: request.change,
          onRemoved: request.on_removed,
          grantExpiresAt: new Date(now.getTime() + grantTtlSeconds * 1_000),
          now,
        }),
        erasable: (event, { request: { judgement, change } }) => ({
          note: noteOf(readApprovalEvent(event), judgement, change),
        }),
        project: projectApprovals,
      });
      await setNextEscalations(
        tx,
        states.map((state) => ({ orgId, state })),
      );
      const eventsOf = Map.groupBy(events, ({ stream_id }) => stream_id);
      await showConditions(
        tx,
        orgId,
        requests
          .filter(({ approval_id }) => eventsOf.get(approval_id)?.some(isPolicyChanged))
          .map(({ approval_id, judgement: { conditions_evaluated } }) => ({
            approval_id,
            conditions_evaluated,
          })),
      );
      return new Map(
        requests.map(({ approval_id, version }, i) => {
          const own = eventsOf.get(approval_id) ?? [];
          return [approval_id, { done: own.length > 0 || !isStale(states[i], version), events: own }];
        }),
      );
    }
  };
export type ApplyJudgements = ReturnType<typeof makeApplyJudgements>;

/** Nothing was decided, because the request changed after the claim. */
const isStale = (state: Approval | undefined, claimedVersion: number) =>
  state !== undefined && state.status !== 'none' && isOpen(state) && state.version !== claimedVersion;

export const isPolicyChanged = ({ type }: StoredEvent) => type === 'approval.policy_changed';

/**
 * Those whose judgement follows from changes that are known here. The engine may be ahead of its own events: a judgement by a
 * change that has not arrived waits for that change, which has the reason and the value of `on_removed`.
 */
async function explainedBy(
  tx: Tx,
  orgId: string,
  judged: readonly JudgedRequest[],
): Promise<ExplainedRequest[]> {
  if (judged.length === 0) return [];
  const removals = await findKnownRemovals(
    tx,
    orgId,
    judged.map(({ approval_id }) => approval_id),
  );
  const removalOf = new Map(removals.map((removal) => [removal.approval_id, removal]));
  const versions = await findKnownVersions(
    tx,
    orgId,
    judged.flatMap(({ judgement: { policy } }) => (policy === null ? [] : [policy.id])),
  );
  return judged.flatMap((request) => {
    const { policy, denial_reason } = request.judgement;
    const removal = removalOf.get(request.approval_id);
    const isExplained =
      denial_reason === 'POLICY_NOT_FOUND'
        ? removal?.removed !== false
        : policy === null || (versions.get(policy.id) ?? policy.version) >= policy.version;
    return isExplained ? [{ ...request, on_removed: removal?.on_removed ?? null }] : [];
  });
}
