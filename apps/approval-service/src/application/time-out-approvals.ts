import type { EventStore } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import type { Approval } from '../domain/approval.js';
import { type ApprovalCommand, approvalDecider } from '../domain/approval-decider.js';
import { projectApprovals } from '../outbound/project-approvals.js';
import { wakeWaiters, type Waker } from '../outbound/wake-waiters.js';
import { isolateUnreadable } from './isolate-unreadable.js';
import { systemMeta } from './system-meta.js';

export interface TimeOutRequest {
  readonly orgId: string;
  readonly approvalId: string;
  readonly traceparent: string | null;
}

export interface TimeOutApprovalsPorts {
  readonly store: EventStore;
  readonly nc: Waker;
  readonly logger: Logger;
}

/**
 * Ends the requests whose deadline is past by the database's clock, in one commit; a request that is not due, or that was
 * decided, is unchanged. Waiting agents are woken once the end is on disk.
 * @returns the new state of each request, in the order given; `none` for one whose history cannot be read
 */
export const makeTimeOutApprovals =
  ({ store, nc, logger }: TimeOutApprovalsPorts) =>
  (requests: readonly TimeOutRequest[]): Promise<Approval[]> => {
    return isolateUnreadable(requests, timeOut, ({ approvalId }, error) => {
      logger.error({ err: error, approval_id: approvalId }, 'a request cannot be timed out');
      return { status: 'none' };
    });

    async function timeOut(some: readonly TimeOutRequest[]): Promise<Approval[]> {
      if (some.length === 0) return [];
      const { states, events } = await store.updateMany({
        decider: approvalDecider,
        streams: some.map(({ orgId, approvalId, traceparent }) => ({
          orgId,
          streamId: approvalId,
          meta: systemMeta({ correlation_id: approvalId, traceparent }),
        })),
        command: (now): ApprovalCommand => ({ type: 'TimeOut', now }),
        project: projectApprovals,
      });
      wakeWaiters(nc, events);
      return states;
    }
  };
export type TimeOutApprovals = ReturnType<typeof makeTimeOutApprovals>;
