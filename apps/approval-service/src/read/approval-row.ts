import {
  type ApprovalStatus,
  type ApprovalTerms,
  type ApprovalView,
  type DenialReason,
  type KeyRef,
  maskSecrets,
  type PolicyRef,
} from '@agentlattice/contracts';
import type { EventMeta } from '@agentlattice/event-store';
import { type Approval, type ApprovalEvent, isOpen, type KnownApproval } from '../domain/approval.js';
import { readApprovalEvent, replayApproval } from '../domain/replay-approval.js';
import { count, countingVotes } from '../domain/tally.js';

export type ErasableValues = Partial<Record<'reason' | 'note', string>> | null;

/** The columns for the status of a request. */
export interface StatusRow {
  readonly org_id: string;
  readonly approval_id: string;
  readonly agent_id: string;
  /** The agents that it acts for. */
  readonly acting_for: string[];
  readonly status: KnownApproval['status'];
  readonly audit_event_id: string;
  readonly action_type: string;
  readonly action_digest: string;
  readonly deadline_at: Date;
  readonly resolved_at: Date | null;
  readonly resolved_by: string | null;
  readonly denial_reason: DenialReason | null;
  readonly grant_expires_at: Date | null;
  /** The id of the event that ended it. */
  readonly erasable_values: ErasableValues;
}

export interface ApprovalRow extends StatusRow {
  /** How many events the request has. */
  readonly version: number;
  readonly escalation_level: number;
  readonly agent_name: string;
  readonly policy: PolicyRef;
  readonly terms: ApprovalTerms;
  readonly created_at: Date;
  readonly scope: 'once' | 'forever' | null;
  readonly time_left: number;
  /** Null members were erased. */
  readonly private: Partial<Record<'metadata' | 'data_accessed' | 'conditions_evaluated', string>> | null;
}

export interface HistoryRow {
  readonly event_id: string;
  readonly org_id: string;
  readonly stream_id: string;
  readonly type: string;
  readonly schema_version: number;
  readonly data: object;
  readonly occurred_at: Date;
  readonly meta: EventMeta;
  readonly erasable_values: ErasableValues;
}

/** How a request ended: part of the refusal of a late command. */
export interface StandingDecision {
  readonly status: KnownApproval['status'];
  readonly resolved_by: string | null;
  readonly resolved_at: string | null;
  readonly reason: string | null;
  readonly denial_reason: DenialReason | null;
}

/** Who reads, and how much: `short` leaves out the history and the reasons, whose size is not limited. */
export interface ViewFor {
  readonly how: 'full' | 'short';
  /** Operators are not shown values that look like secrets; the agent gets what it sent. */
  readonly reader: 'agent' | 'operator';
}

/** A request with all data that people need to decide it. */
export function toView(
  row: ApprovalRow,
  history: readonly HistoryRow[],
  { how, reader }: ViewFor,
  state: Approval = replayApproval(history),
): ApprovalView {
  const { policy, terms } = row;
  const steps = how === 'full' ? newestWithin(history.map(stepOf)) : [];
  const votes = state.status === 'none' ? [] : state.votes;
  const reasons = votes.map(({ member_id }) => ({ member_id, reason: reasonOfVote(history, member_id) }));
  const shown = how === 'full' ? newestWithin(reasons) : [];
  const counting = new Set(countingVotes(votes));
  const { approvals, denials, seatsOpen } = count(terms, votes);
  const { conditions_evaluated, ...sent } = submittedValues(row);
  return {
    id: row.approval_id,
    approval_id: row.approval_id,
    audit_event_id: row.audit_event_id,
    escalation_level: row.escalation_level,
    agent: { id: row.agent_id, name: row.agent_name },
    asked_with_key: state.status === 'none' ? null : state.askedWithKey,
    action_type: row.action_type,
    action_digest: row.action_digest,
    policy: {
      ...policy,
      unconditional: conditions_evaluated && conditions_evaluated.length === 0,
      notice: terms.notice ?? null,
    },
    policy_name: policy.name,
    ...(reader === 'operator' ? masked(sent) : sent),
    conditions_evaluated: conditions_evaluated ?? [],
    created_at: row.created_at.toISOString(),
    timeout_at: row.deadline_at.toISOString(),
    window_seconds: (row.deadline_at.getTime() - row.created_at.getTime()) / 1_000,
    time_left_seconds: isOpen(row) ? row.time_left : 0,
    approvals,
    denials,
    seats_open: isOpen(row) ? [...seatsOpen] : [],
    votes: votes.map((vote) => ({
      member_id: vote.member_id,
      decision: vote.decision,
      groups: vote.groups,
      reason: shown.find(({ member_id }) => member_id === vote.member_id)?.reason ?? null,
      at: vote.at,
      key: vote.key ?? null,
      counts: counting.has(vote),
    })),
    approver_groups: terms.approver_groups,
    separation_of_duties: terms.separation_of_duties,
    scope: row.scope,
    ...standingDecision(row),
    grant_expires_at: row.grant_expires_at?.toISOString() ?? null,
    history: steps,
    history_truncated: steps.length < history.length || shown.length < votes.length,
  };
}

/** What the agent sent and how it was judged; empty where it was erased, conditions null. */
export const submittedValues = ({ private: values }: Pick<ApprovalRow, 'private'>) => ({
  metadata: JSON.parse(values?.metadata ?? '{}') as ApprovalView['metadata'],
  data_accessed: JSON.parse(values?.data_accessed ?? '[]') as ApprovalView['data_accessed'],
  conditions_evaluated: JSON.parse(values?.conditions_evaluated ?? 'null') as
    ApprovalView['conditions_evaluated'] | null,
});

function masked({ metadata, data_accessed }: Pick<ApprovalView, 'metadata' | 'data_accessed'>) {
  const shown = {
    metadata: maskSecrets(metadata, '/metadata'),
    data_accessed: maskSecrets(data_accessed, '/data_accessed'),
  };
  return {
    metadata: shown.metadata.value,
    data_accessed: shown.data_accessed.value,
    masked: [...shown.metadata.masked, ...shown.data_accessed.masked],
  };
}

const stepOf = ({
  event_id,
  type,
  schema_version,
  data,
  occurred_at,
  meta: { actor },
  erasable_values,
}: HistoryRow) => ({
  event_id,
  type,
  at: occurred_at.toISOString(),
  key: keyIn(readApprovalEvent({ type, schema_version, data }), actor?.id ?? null),
  operator: actor?.kind === 'operator' && actor.id !== null ? { id: actor.id, via: actor.via } : null,
  reason: erasable_values?.reason ?? null,
  note: erasable_values?.note ?? null,
});

/** The key of the request or of the vote. */
function keyIn(event: ApprovalEvent, memberId: string | null): KeyRef | null {
  switch (event.type) {
    case 'approval.opened':
      return event.data.asked_with_key ?? null;
    case 'approval.vote_cast':
      return event.data.vote.key ?? null;
    case 'approval.approved':
    case 'approval.denied':
      return event.data.votes.find(({ member_id }) => member_id === memberId)?.key ?? null;
    default:
      return null;
  }
}

/** How many steps of a history are shown, and of how many events the erasable values are read. */
export const maxHistorySteps = 200;
/** NATS allows 1 MiB a message, and the submitted values may fill half of it. */
const maxBytes = 160 * 1024;

/** The newest ones that fit, oldest first. */
function newestWithin<T>(items: readonly T[]): T[] {
  let left = maxBytes;
  const older = items.slice(-maxHistorySteps).findLastIndex((item) => {
    left -= Buffer.byteLength(JSON.stringify(item));
    return left < 0;
  });
  return items.slice(-maxHistorySteps).slice(older + 1);
}

/** The vote that completes the request is part of the event that ends it. */
const voting = new Set(['approval.vote_cast', 'approval.approved', 'approval.denied']);

const reasonOfVote = (history: readonly HistoryRow[], memberId: string) =>
  history.findLast(
    ({ type, meta: { actor } }) => voting.has(type) && actor?.kind === 'operator' && actor.id === memberId,
  )?.erasable_values?.reason ?? null;

export const standingDecision = (row: StatusRow): StandingDecision => ({
  status: row.status,
  resolved_by: row.resolved_by,
  resolved_at: row.resolved_at?.toISOString() ?? null,
  reason:
    row.status === 'timed_out'
      ? 'approval_timeout'
      : (row.erasable_values?.reason ?? row.erasable_values?.note ?? null),
  denial_reason: row.denial_reason,
});

/** The status for the agent: `cancelled` is shown as `denied` (decisions §6). */
export const toStatus = (row: StatusRow, grant: string | null): ApprovalStatus => ({
  ...standingDecision(row),
  ...(row.status === 'cancelled' ? { reason: 'cancelled' } : {}),
  status: row.status === 'cancelled' ? 'denied' : row.status,
  approval_id: row.approval_id,
  timeout_at: row.deadline_at.toISOString(),
  grant,
});
