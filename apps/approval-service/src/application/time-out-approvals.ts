import type { EventStore } from '@agentlattice/event-store';
import type { Approval } from '../domain/approval.js';
import type { ApprovalCommand } from '../domain/approval-decider.js';
import { storedApprovalDecider } from '../domain/stored-approval-decider.js';
import { projectApprovals } from '../outbound/project-approvals.js';
import { wakeWaiters, type Waker } from '../outbound/wake-waiters.js';

export interface TimeOutRequest {
  readonly orgId: string;
  readonly approvalId: string;
  readonly traceparent: string | null;
}

/**
 * Ends those requests whose deadline is past by the database's clock, in one commit; one that is not due, or that was
 * decided, stays as it is. Waiters are woken once the end is on disk.
 * @returns how each stands now, in the order given
 */
export const makeTimeOutApprovals =
  ({ store, nc }: { store: EventStore; nc: Waker }) =>
  async (requests: readonly TimeOutRequest[]): Promise<Approval[]> => {
    if (requests.length === 0) return [];
    const { states, events } = await store.updateMany({
      decider: storedApprovalDecider,
      streams: requests.map(({ orgId, approvalId, traceparent }) => ({
        orgId,
        streamId: approvalId,
        meta: {
          actor: { kind: 'system', id: null, key_id: null, via: 'system' },
          correlation_id: approvalId,
          traceparent,
        },
      })),
      command: (now): ApprovalCommand => ({ type: 'TimeOut', now }),
      project: projectApprovals,
    });
    wakeWaiters(nc, events);
    return states;
  };
export type TimeOutApprovals = ReturnType<typeof makeTimeOutApprovals>;
