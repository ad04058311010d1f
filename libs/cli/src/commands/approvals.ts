import { type ApprovalView, routes } from '@agentlattice/contracts';
import { exitCode } from '../exit-code.js';
import type { Ports } from '../ports.js';
import { approvalsText, approvalText, decidedText, decisionText } from '../render/approval-text.js';
import { safeJson, safeText } from '../render/safe-text.js';
import { firstOf, tableWidth } from './lists.js';

export interface ListRequest {
  /** `any`: of any status. */
  readonly status: string;
  readonly actionType?: string | undefined;
  readonly search?: string | undefined;
  readonly limit: number;
}

/** Reads a page of requests. */
export const readApprovals =
  (
    { api }: Pick<Ports, 'api'>,
    { status, actionType, search }: Omit<ListRequest, 'limit'>,
    call: { readonly retryForMs?: number } = {},
  ) =>
  async (page: { limit: number; cursor: string | undefined }) => {
    const { approvals, next_cursor } = await api.call(routes.listApprovals, {
      ...call,
      query: { status: status === 'any' ? undefined : status, action_type: actionType, q: search, ...page },
    });
    return { items: approvals, next_cursor };
  };

export async function listApprovals({ limit, ...filter }: ListRequest, ports: Ports): Promise<void> {
  const { terminal, json, style } = ports;
  const { items, next_cursor } = await firstOf<ApprovalView>(limit, readApprovals(ports, filter));
  if (json) return terminal.print(safeJson({ approvals: items, next_cursor }, 2));
  if (items.length === 0)
    return terminal.say(
      filter.status === 'pending' ? 'No request waits for a decision.' : 'There is no such request.',
    );
  terminal.print(approvalsText(items, tableWidth(terminal), Date.now(), style));
  if (next_cursor !== null) terminal.say(`There are more than ${String(limit)}; --limit shows them.`);
}

export async function showApproval(id: string, { api, terminal, json, style }: Ports): Promise<void> {
  const approval = await api.call(routes.getApproval, { params: { approval_id: id } });
  terminal.print(json ? safeJson(approval, 2) : approvalText(approval, style));
}

export interface Decision {
  readonly id: string;
  readonly reason: string | undefined;
}

/** Sends an approval once; where the connection breaks, it is not known whether it took effect. */
export const sendApproval = (
  api: Ports['api'],
  { id, reason, foreverFor }: Decision & { foreverFor: 'policy' | 'action_type' | undefined },
) => {
  const scope = foreverFor === undefined ? {} : { scope: 'forever', forever_for: foreverFor };
  return api.call(routes.approveRequest, {
    params: { approval_id: id },
    body: JSON.stringify({ reason, ...scope }),
    repeatable: false,
  });
};

export const sendDenial = (api: Ports['api'], { id, reason }: Decision) =>
  api.call(routes.denyRequest, {
    params: { approval_id: id },
    body: JSON.stringify({ reason }),
    repeatable: false,
  });

export async function approve(
  decision: Decision & { foreverFor: 'policy' | 'action_type' | undefined },
  { api, terminal, json }: Ports,
): Promise<void> {
  const decided = await sendApproval(api, decision);
  if (json) return terminal.print(safeJson(decided, 2));
  terminal.print(decidedText(decided));
  if ('policy_change' in decided && decided.policy_change !== undefined)
    terminal.print(`the policy: ${safeText(decided.policy_change.detail)}`);
}

export async function deny(decision: Decision, { api, terminal, json }: Ports): Promise<void> {
  const decided = await sendDenial(api, decision);
  terminal.print(json ? safeJson(decided, 2) : decidedText(decided));
}

/** Withdraws a request of the agent. @returns 1 when it had ended before */
export async function cancelApproval(
  { id, reason }: Decision,
  { api, terminal, json }: Ports,
): Promise<number> {
  const status = await api.call(routes.cancelRequest, {
    params: { approval_id: id },
    body: JSON.stringify({ reason }),
  });
  const isCancelled = status.denial_reason === 'CANCELLED';
  if (json) terminal.print(safeJson(status, 2));
  else
    terminal.print(
      `${status.approval_id}: ${isCancelled ? 'cancelled' : `${status.status} ${decisionText(status)}`}`,
    );
  return isCancelled ? exitCode.ok : exitCode.refused;
}
