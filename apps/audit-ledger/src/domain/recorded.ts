import {
  actingUnder,
  type AppendItem,
  approvalTerms,
  keyRef,
  type OpenItem,
  parseWith,
  type RequestedAction,
  submissionOutcome,
} from '@agentlattice/contracts';
import type { Disclosed, Entry } from '@agentlattice/ledger';
import { z } from 'zod';

/** The record of a submission: the first answer and the data to give it again. Stored as JSON. */
const recorded = z.object({
  outcome: submissionOutcome,
  terms: approvalTerms.nullable(),
  judged_at: z.string(),
  owner_member_id: z.string().nullable(),
  /** Missing in records of releases before keys were recorded. */
  asked_with_key: keyRef.nullable().optional(),
  /** Missing in records of releases before delegations. */
  delegation: actingUnder.nullable().optional(),
  grant_ttl_s: z.number(),
  traceparent: z.string().nullable(),
});
export type Recorded = Readonly<z.infer<typeof recorded>>;

/** @throws when the stored text has another form: it must not be used for an answer */
export function parseRecorded(text: string): Recorded {
  const parsed = parseWith(recorded, JSON.parse(text));
  if (!parsed.success)
    throw new Error('the record of a submission has another form', { cause: parsed.error });
  return parsed.data;
}

/** The record with the deadline from its entry's time: fixed here, even if the approval is opened later (decisions §2.2). */
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
    agent: {
      ...agent,
      owner_member_id: recorded.owner_member_id,
      ...(recorded.delegation === null || recorded.delegation === undefined
        ? {}
        : { delegation: recorded.delegation }),
    },
    action_type,
    action_digest: stored.actionDigest,
    // Erased values are replaced by empty ones.
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

/** The same, addressed to the waiting gateway. */
export const openItemOf = (requested: RequestedAction, item: AppendItem, replayed: boolean): OpenItem => ({
  ...requested,
  item_id: item.item_id,
  gateway: item.gateway,
  correlation_id: item.correlation_id,
  traceparent: item.traceparent,
  replayed,
});
