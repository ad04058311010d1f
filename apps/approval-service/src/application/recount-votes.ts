import type { EventStore, StoredEvent } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import { type ApprovalCommand, approvalDecider } from '../domain/approval-decider.js';
import {
  type ChangedMember,
  changedMembers,
  forgetMemberChange,
  openVotesOf,
} from '../outbound/member-changes.js';
import { projectApprovals } from '../outbound/project-approvals.js';
import { wakeWaiters, type Waker } from '../outbound/wake-waiters.js';
import { apartIfUnreadable } from './apart-if-unreadable.js';
import { systemMeta } from './system-meta.js';

export interface RecountVotesPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly nc: Waker;
  readonly logger: Logger;
}

const pageSize = 50;
const note = 'The member could not cast this vote any more.';

/**
 * Withdraws votes on open requests whose member lost the right to cast them. The work follows from rows only, so the next run
 * repeats one that died. Each change is looked at again until no decision from before it can be under way.
 * @returns whether there was anything to do, or soon will be
 */
export const makeRecountVotes = ({ pool, store, nc, logger }: RecountVotesPorts) => {
  const recount = async (member: ChangedMember): Promise<void> => {
    const withdraw = async (approvals: readonly string[]): Promise<(readonly StoredEvent[])[]> => {
      const { events } = await store.updateMany({
        decider: approvalDecider,
        streams: approvals.map((streamId) => ({
          orgId: member.org_id,
          streamId,
          meta: systemMeta(member),
        })),
        command: (now): ApprovalCommand => ({
          type: 'MemberChanged',
          memberId: member.member_id,
          person: member.person,
          now,
        }),
        erasable: () => ({ note }),
        project: projectApprovals,
      });
      const eventsOf = Map.groupBy(events, ({ stream_id }) => stream_id);
      return approvals.map((approvalId) => eventsOf.get(approvalId) ?? []);
    };
    const approvals = await openVotesOf(pool, member);
    if (approvals.length > 0) {
      const events = await apartIfUnreadable(approvals, withdraw, (approval_id, error) => {
        logger.error({ err: error, approval_id }, 'a vote of a changed member cannot be looked at');
        return [];
      });
      wakeWaiters(nc, events.flat());
    }
    if (member.settled) await forgetMemberChange(pool, member);
  };
  return async (): Promise<boolean> => {
    const changed = await changedMembers(pool, pageSize);
    for (const member of changed) await recount(member);
    return changed.length > 0;
  };
};
