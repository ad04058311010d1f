import type { EventStore } from '@agentlattice/event-store';
import type { KnownApproval } from '../domain/approval.js';
import { type ApprovalCommand, approvalDecider } from '../domain/approval-decider.js';
import { canBeApproved } from '../domain/decide-undecidable.js';
import type { Decidable } from '../domain/may-decide.js';
import type { OpenableItem } from '../outbound/approval-rows.js';
import type { Members } from '../outbound/members.js';
import { projectApprovals } from '../outbound/project-approvals.js';
import { wakeWaiters, type Waker } from '../outbound/wake-waiters.js';
import { systemMeta } from './system-meta.js';

type ApprovalKey = Pick<OpenableItem, 'org_id' | 'approval_id' | 'traceparent'>;

/** An open request, with the data that determines its approvers. */
export interface Waiting<Item extends ApprovalKey = ApprovalKey> {
  readonly item: Item;
  readonly state: Decidable;
}

export interface EndUndecidablePorts {
  readonly members: Members;
  readonly store: EventStore;
  readonly nc: Waker;
}

const note = 'Nobody in the workspace may decide this request.';

/**
 * Denies or escalates the requests that no member can decide (decisions §4.5). While it is uncertain whether all members are
 * known here, the requests stay open.
 * @returns the requests that no member can decide, in their new state
 */
export const makeEndUndecidable =
  ({ members, store, nc }: EndUndecidablePorts) =>
  async <Item extends ApprovalKey>(
    opened: readonly Waiting<Item>[],
  ): Promise<{ item: Item; state: KnownApproval }[]> => {
    const suspects = await undecidable(opened.filter(({ state }) => asksForMore(state)));
    if (suspects.length === 0 || !(await members.upToDate())) return [];
    const sure = await undecidable(suspects);
    if (sure.length === 0) return [];
    const { states, events } = await store.updateMany({
      decider: approvalDecider,
      streams: sure.map(({ people, item: { org_id: orgId, approval_id: streamId, traceparent } }) => ({
        orgId,
        streamId,
        people,
        meta: systemMeta({ correlation_id: streamId, traceparent }),
      })),
      command: (now, { people }): ApprovalCommand => ({ type: 'ResolveUndecidable', people, now }),
      erasable: () => ({ note }),
      project: projectApprovals,
    });
    wakeWaiters(nc, events);
    return sure.flatMap(({ item }, i) => {
      const state = states[i];
      return state === undefined || state.status === 'none' ? [] : [{ item, state }];
    });

    async function undecidable(requests: readonly Waiting<Item>[]) {
      if (requests.length === 0) return [];
      const everybody = await members.everybody([...new Set(requests.map(({ item }) => item.org_id))]);
      return requests.flatMap((request) => {
        const people = everybody.get(request.item.org_id);
        return people === undefined || canBeApproved(request.state, people) ? [] : [{ ...request, people }];
      });
    }
  };
export type EndUndecidable = ReturnType<typeof makeEndUndecidable>;

/** All other requests can be decided by any member who is not a viewer, and every workspace has one. */
const asksForMore = ({ terms }: Decidable) =>
  terms.approvals_required > 1 || terms.approver_groups.length > 0 || terms.separation_of_duties;
