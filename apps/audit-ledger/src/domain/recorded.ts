import type {
  AppendItem,
  ApprovalTerms,
  KeyRef,
  OpenItem,
  RequestedAction,
  SubmissionOutcome,
} from '@agentlattice/contracts';
import type { Disclosed, Entry } from '@agentlattice/ledger';

/** The row of a submission: the first answer and what a later reader needs to give it again. Stored as JSON. */
export interface Recorded {
  readonly outcome: SubmissionOutcome;
  readonly terms: ApprovalTerms | null;
  readonly judged_at: string;
  readonly owner_member_id: string | null;
  /** Missing in records from before keys were told. */
  readonly asked_with_key?: KeyRef | null;
  readonly grant_ttl_s: number;
  readonly traceparent: string | null;
}

/** The record with the deadline its entry's time gives it: fixed here, whenever the approval is opened (decisions §2.2). */
export function withDeadline(recorded: Recorded, time: string): Recorded {
  if (recorded.terms === null) return recorded;
  const timeoutAt = new Date(Date.parse(time) + recorded.terms.timeout_ms).toISOString();
  return { ...recorded, outcome: { ...recorded.outcome, timeout_at: timeoutAt } };
}

/** What the approval-service needs to open the approval of a requested entry; null for any other entry. */
export function requestedActionOf(
  entry: Entry,
  content: Disclosed,
  stored: { actionDigest: string; recorded: Recorded },
): RequestedAction | null {
  const { recorded } = stored;
  const { agent, policy, approval_id, action_type, correlation_id } = entry;
  const { timeout_at } = recorded.outcome;
  if (agent === null || policy === null || approval_id === null || action_type === null) return null;
  if (recorded.terms === null || timeout_at === null) return null;
  return {
    org_id: entry.org_id,
    approval_id,
    audit_event_id: entry.id,
    agent: { ...agent, owner_member_id: recorded.owner_member_id },
    action_type,
    action_digest: stored.actionDigest,
    // Erased values leave the empty ones behind.
    metadata: content.metadata?.value ?? '{}',
    data_accessed: content.data_accessed?.value ?? '[]',
    policy,
    conditions_evaluated: recorded.outcome.conditions_evaluated,
    terms: recorded.terms,
    asked_with_key: recorded.asked_with_key ?? null,
    judged_at: recorded.judged_at,
    requested_at: entry.time,
    timeout_at,
    correlation_id: correlation_id ?? '',
    traceparent: recorded.traceparent,
  };
}

/** The same, addressed to the gateway that waits. */
export const openItemOf = (requested: RequestedAction, item: AppendItem, replayed: boolean): OpenItem => ({
  ...requested,
  item_id: item.item_id,
  gateway: item.gateway,
  correlation_id: item.correlation_id,
  traceparent: item.traceparent,
  replayed,
});
