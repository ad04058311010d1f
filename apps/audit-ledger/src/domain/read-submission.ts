import { hash as sha256 } from 'node:crypto';
import { type AppendItem, chainOf, Refused, type SubmissionOutcome } from '@agentlattice/contracts';
import type { Disclosed } from '@agentlattice/ledger';
import { commitmentsOf } from './commitments.js';
import type { EntryFacts, SubmissionDraft } from './draft.js';

export interface SubmissionRandomness {
  readonly id: string;
  /** Hex; one for each value. */
  readonly salts: { readonly metadata: string; readonly data_accessed: string };
  readonly grantTtlSeconds: number;
}

/**
 * Makes the draft of an item. The item may be hostile: its digest is computed again from its content, so that entry, answer
 * and grant are about the same action.
 * @throws Refused VALIDATION_FAILED
 */
export function readSubmission(
  item: AppendItem,
  { id, salts, grantTtlSeconds }: SubmissionRandomness,
): SubmissionDraft {
  const { verdict, agent } = item;
  refuseUnless(isPlain(item.action_type), 'action_type holds control characters');
  refuseUnless(isJson(item.metadata, isObject), 'metadata is not the canonical text of an object');
  refuseUnless(
    isJson(item.data_accessed, Array.isArray),
    'data_accessed is not the canonical text of a list',
  );
  refuseUnless(digestOf(item) === item.action_digest, 'action_digest is not that of the action');
  refuseUnless(isConsistent(item), 'the verdict contradicts itself');
  const content: Disclosed = {
    metadata: { salt: salts.metadata, value: item.metadata },
    data_accessed: { salt: salts.data_accessed, value: item.data_accessed },
  };
  return {
    kind: 'submission',
    id,
    content,
    facts: {
      type: `action.${verdict.decision}`,
      org_id: item.org_id,
      action_type: item.action_type,
      agent: { id: agent.id, name: agent.name },
      ...delegationOf(agent),
      operator: null,
      decision: verdict.decision,
      resolved_by: null,
      policy: verdict.policy,
      approval_id: verdict.approval_id,
      correlation_id: item.correlation_id,
      private: commitmentsOf(content),
    },
    eventKey: item.client_event_id === null ? null : JSON.stringify(item.client_event_id),
    actionDigest: item.action_digest,
    recorded: {
      outcome: outcomeOf(item, id),
      terms: verdict.terms,
      judged_at: verdict.judged_at,
      owner_member_id: agent.owner_member_id,
      delegation: agent.delegation ?? null,
      asked_with_key: item.asked_with_key ?? null,
      grant_ttl_s: grantTtlSeconds,
      traceparent: item.traceparent,
    },
  };
}

/** Who acts for whom; nothing for an agent that acts for no other. */
const delegationOf = (agent: AppendItem['agent']): Pick<EntryFacts, 'delegation'> =>
  agent.delegation === null || agent.delegation === undefined
    ? {}
    : { delegation: { id: agent.delegation.id, chain: chainOf(agent) } };

function outcomeOf({ verdict }: AppendItem, id: string): SubmissionOutcome {
  const common = {
    denial_reason: verdict.denial_reason,
    policy_name: verdict.policy?.name ?? null,
    audit_event_id: id,
    approval_id: verdict.approval_id,
    timeout_at: null,
    message: null,
    conditions_evaluated: verdict.conditions_evaluated,
  };
  switch (verdict.decision) {
    case 'executed':
      return { status: 'executed', verdict: 'executed', ...common };
    case 'requested':
      return {
        status: 'requested',
        verdict: 'pending_approval',
        ...common,
        message: `The policy ${verdict.policy?.name ?? ''} wants a person to decide.`,
      };
    case 'denied':
      return {
        status: verdict.denial_reason === 'POLICY_NOT_FOUND' ? 'policy_not_found' : 'denied',
        verdict: 'denied',
        ...common,
      };
  }
}

/** base64url(SHA-256(RFC 8785 of the five members)), built by concatenation from canonical texts. */
const digestOf = ({ action_type, agent, data_accessed, metadata, org_id }: AppendItem) =>
  sha256(
    'sha256',
    `{"action_type":${JSON.stringify(action_type)},"agent_id":${JSON.stringify(agent.id)},` +
      `"data_accessed":${data_accessed},"metadata":${metadata},"org_id":${JSON.stringify(org_id)}}`,
    'base64url',
  );

/** An allow names the policy that allows; only a request has an approval and its terms; only a denial has a reason. */
function isConsistent({ verdict }: AppendItem): boolean {
  const requested = verdict.decision === 'requested';
  if ((verdict.approval_id !== null) !== requested || (verdict.terms !== null) !== requested) return false;
  if ((verdict.denial_reason !== null) !== (verdict.decision === 'denied')) return false;
  return verdict.decision === 'denied' || verdict.policy !== null;
}

// Values are sent to the database as lines of text.
const isPlain = (text: string) => text.isWellFormed() && !/\p{Cc}/u.test(text);
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

function isJson(text: string, is: (value: unknown) => boolean): boolean {
  if (!text.isWellFormed()) return false;
  try {
    return is(JSON.parse(text));
  } catch {
    return false;
  }
}

function refuseUnless(holds: boolean, detail: string): asserts holds {
  if (!holds) throw new Refused('VALIDATION_FAILED', detail);
}
