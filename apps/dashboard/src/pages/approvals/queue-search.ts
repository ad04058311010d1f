import type { ApprovalFilter } from '../../api/approvals.js';

/** The filters of the queue as they stand in the address. */
export interface QueueSearch {
  readonly tab?: 'decided';
  readonly q?: string;
  readonly action_type?: string;
  readonly agent_id?: string;
  readonly policy_id?: string;
  /** `all`: also what the person cannot decide; `mine`: only what the person can decide. */
  readonly show?: 'all' | 'mine';
}

const filters = ['q', 'action_type', 'agent_id', 'policy_id'] as const;

/** Takes what is understood and leaves the rest out. */
export function readQueueSearch(search: Readonly<Record<string, unknown>>): QueueSearch {
  const { tab, show } = search;
  const given = filters.flatMap((name) => {
    const value = search[name];
    return typeof value === 'string' && value !== ''
      ? [[name, value.slice(0, name === 'q' ? 200 : 255)] as const]
      : [];
  });
  return {
    ...(tab === 'decided' ? { tab } : {}),
    ...(show === 'all' || show === 'mine' ? { show } : {}),
    ...Object.fromEntries(given),
  };
}

/** What the server is asked for. Viewers decide nothing, so they see everything by default. */
export function filterOf({ tab: _, show, ...rest }: QueueSearch, mayDecide: boolean): ApprovalFilter {
  const mine = show === undefined ? mayDecide : show === 'mine';
  return { ...rest, ...(mine ? { decidable: true } : {}) };
}

export const isFiltered = ({ q, action_type, agent_id, policy_id }: QueueSearch): boolean =>
  [q, action_type, agent_id, policy_id].some((value) => value !== undefined);
