import { Unavailable, wakeSubject } from '@agentlattice/contracts';
import type { EventStore } from '@agentlattice/event-store';
import type { NatsConnection } from '@nats-io/transport-node';
import { type Approval, type ApprovalCommand, approvalDecider } from '../domain/approval.js';
import { resolveApproval } from '../outbound/approval-rows.js';

export interface TimeOutRequest {
  readonly orgId: string;
  readonly approvalId: string;
  readonly traceparent: string | null;
}

/**
 * Ends a request whose deadline is past by the database's clock; one that is not, or that was decided, stays as it is.
 * Waiters are woken once the end is on disk.
 */
export const makeTimeOutApproval =
  ({ store, nc }: { store: EventStore; nc: Pick<NatsConnection, 'publish'> }) =>
  async ({
    orgId,
    approvalId,
    traceparent,
  }: TimeOutRequest): Promise<Exclude<Approval, { status: 'none' }>> => {
    const { state, events } = await store.update({
      decider: approvalDecider,
      orgId,
      streamId: approvalId,
      command: (now): ApprovalCommand => ({ type: 'TimeOutApproval', now }),
      meta: {
        actor: { kind: 'system', id: null, key_id: null, via: 'system' },
        correlation_id: approvalId,
        traceparent,
      },
      project: resolveApproval,
    });
    if (events.length > 0) nc.publish(wakeSubject(approvalId));
    if (state.status === 'none') throw new Unavailable('the request is not open');
    return state;
  };
export type TimeOutApproval = ReturnType<typeof makeTimeOutApproval>;
