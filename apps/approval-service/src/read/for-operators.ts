import type { EscalationState, ForOperators, PreviousApproval } from '@agentlattice/contracts';
import type { Approval } from '../domain/approval.js';
import { changedFields, leavesIn, type Leaves } from '../domain/compare-values.js';
import { cuesOf } from '../domain/cues.js';
import { nextEscalation, targetsOf } from '../domain/escalation-plan.js';
import { readApprovalEvent } from '../domain/replay-approval.js';
import { type ApprovalRow, type HistoryRow, submittedValues } from './approval-row.js';
import { mostComparedBytes, type ReadHistory } from './ask-histories.js';
import type { Viewer } from './viewers.js';

/** A request that was read, in its parts. */
export interface ReadRequest {
  readonly row: ApprovalRow;
  readonly history: readonly HistoryRow[];
  readonly state: Approval;
}

const mostTold = 20;

/** What an operator needs for the decision, beside the request itself. */
export function forOperators(
  { row, history, state }: ReadRequest,
  viewer: Viewer,
  asked: ReadHistory | null,
): Partial<ForOperators> {
  return {
    now: viewer.now.toISOString(),
    ...viewer.outlook(state),
    escalation: escalationOf(row, history, state),
    ...(asked === null ? {} : fromHistory(row, asked)),
  };
}

function fromHistory(row: ApprovalRow, asked: ReadHistory): Pick<ForOperators, 'cues' | 'previous'> {
  const values = comparable(row);
  const conditions = submittedValues(row).conditions_evaluated ?? [];
  return { cues: cuesOf({ values, conditions }, asked), previous: previousOf(values, asked) };
}

function comparable(row: ApprovalRow): Leaves | null {
  const text = row.private?.metadata ?? null;
  return text === null || Buffer.byteLength(text) > mostComparedBytes ? null : leavesIn(JSON.parse(text));
}

function previousOf(values: Leaves | null, { lastApproved }: ReadHistory): PreviousApproval | null {
  if (values === null || lastApproved === null || lastApproved.values === null) return null;
  return {
    approval_id: lastApproved.approvalId,
    decided_at: lastApproved.decidedAt.toISOString(),
    ...changedFields(values, lastApproved.values),
  };
}

function escalationOf(row: ApprovalRow, history: readonly HistoryRow[], state: Approval): EscalationState {
  const escalations = history.filter(({ type }) => type === 'approval.escalated').slice(-mostTold);
  const told = escalations.flatMap((event) => {
    const read = readApprovalEvent(event);
    return read.type === 'approval.escalated'
      ? [{ ...targetsOf(read.data.level, read.data.step), at: event.occurred_at.toISOString() }]
      : [];
  });
  return { level: row.escalation_level, told, ...nextEscalation(state) };
}
