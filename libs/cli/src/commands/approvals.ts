import { type ApprovalView, routes } from '@agentlattice/contracts';
import type { Api } from '../api-calls.js';
import { approvalsText, approvalText, decidedText } from '../render/approval-text.js';
import { safeJson, safeText } from '../render/safe-text.js';
import type { Terminal } from '../terminal.js';

interface Ports {
  readonly api: Api;
  readonly terminal: Terminal;
}

export interface ListRequest {
  /** Undefined: of any status. */
  readonly status: string | undefined;
  readonly actionType: string | undefined;
  readonly limit: number;
  readonly json: boolean;
}

const pageSize = 200;

export async function listApprovals(
  { status, actionType, limit, json }: ListRequest,
  { api, terminal }: Ports,
): Promise<void> {
  const approvals: ApprovalView[] = [];
  let cursor: string | null = null;
  do {
    const page: { approvals: ApprovalView[]; next_cursor: string | null } = await api.call(
      routes.listApprovals,
      {
        query: {
          status,
          action_type: actionType,
          limit: Math.min(pageSize, limit - approvals.length),
          cursor: cursor ?? undefined,
        },
      },
    );
    approvals.push(...page.approvals);
    cursor = page.next_cursor;
  } while (cursor !== null && approvals.length < limit);
  if (json) return terminal.print(safeJson({ approvals, next_cursor: cursor }, 2));
  if (approvals.length === 0)
    return terminal.say(
      status === 'pending' ? 'No request waits for a decision.' : 'There is no such request.',
    );
  terminal.print(approvalsText(approvals, terminal.columns, Date.now()));
  if (cursor !== null) terminal.say(`There are more than ${String(limit)}; --limit shows them.`);
}

export async function showApproval(
  { id, json }: { id: string; json: boolean },
  { api, terminal }: Ports,
): Promise<void> {
  const approval = await api.call(routes.getApproval, { params: { approval_id: id } });
  terminal.print(json ? safeJson(approval, 2) : approvalText(approval));
}

export interface Decision {
  readonly id: string;
  readonly reason: string | undefined;
  readonly json: boolean;
}

export async function approve(
  { id, reason, foreverFor, json }: Decision & { foreverFor: 'policy' | 'action_type' | undefined },
  { api, terminal }: Ports,
): Promise<void> {
  const scope = foreverFor === undefined ? {} : { scope: 'forever', forever_for: foreverFor };
  const decided = await api.call(routes.approveRequest, {
    params: { approval_id: id },
    body: JSON.stringify({ reason, ...scope }),
    repeatable: false,
  });
  if (json) return terminal.print(safeJson(decided, 2));
  terminal.print(decidedText(decided));
  if ('policy_change' in decided && decided.policy_change !== undefined)
    terminal.print(`the policy: ${safeText(decided.policy_change.detail)}`);
}

export async function deny({ id, reason, json }: Decision, { api, terminal }: Ports): Promise<void> {
  const decided = await api.call(routes.denyRequest, {
    params: { approval_id: id },
    body: JSON.stringify({ reason }),
    repeatable: false,
  });
  terminal.print(json ? safeJson(decided, 2) : decidedText(decided));
}
