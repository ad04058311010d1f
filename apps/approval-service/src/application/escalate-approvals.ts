import { type EventStore, inTransaction } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import { type ApprovalCommand, approvalDecider } from '../domain/approval-decider.js';
import type { DueRequest } from '../outbound/due-requests.js';
import { recordEscalations } from '../outbound/approval-metrics.js';
import { setNextEscalations } from '../outbound/escalation-times.js';
import { projectApprovals } from '../outbound/project-approvals.js';
import { isolateUnreadable } from './isolate-unreadable.js';
import { systemMeta } from './system-meta.js';

export interface EscalateApprovalsPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly logger: Logger;
}

/**
 * Takes every step of escalation of these requests that is due by the database's clock, in one commit. A request that has
 * ended, or whose step was taken before, is unchanged.
 */
export const makeEscalateApprovals =
  ({ pool, store, logger }: EscalateApprovalsPorts) =>
  async (due: readonly DueRequest[]): Promise<void> => {
    await isolateUnreadable(due, escalate, ({ approvalId }, error) =>
      logger.error({ err: error, approval_id: approvalId }, 'a request cannot be escalated'),
    );

    async function escalate(requests: readonly DueRequest[]): Promise<[]> {
      const escalated = await inTransaction(pool, async (tx) => {
        const { states, events } = await store.updateMany({
          tx,
          decider: approvalDecider,
          streams: requests.map(({ orgId, approvalId: streamId, ...origin }) => ({
            orgId,
            streamId,
            meta: systemMeta(origin),
          })),
          command: (now): ApprovalCommand => ({ type: 'Escalate', now }),
          project: projectApprovals,
        });
        await setNextEscalations(
          tx,
          requests.flatMap(({ orgId }, i) => {
            const state = states[i];
            return state === undefined ? [] : [{ orgId, state }];
          }),
        );
        return events;
      });
      recordEscalations(escalated, requests);
      return [];
    }
  };
export type EscalateApprovals = ReturnType<typeof makeEscalateApprovals>;
