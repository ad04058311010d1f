import { z } from 'zod';
import { escalationStep } from '../policy/policy.js';
import { digest, instant, sha256Hex, traceparent, typeId } from '../primitives.js';
import { conditionEvaluated } from './condition-evaluated.js';

export { type ConditionEvaluated, conditionEvaluated } from './condition-evaluated.js';

/** Why an action was denied; closed (decisions §1). */
export const denialReasons = [
  'POLICY_DENIED', 'CONDITIONS_DENIED', 'POLICY_NOT_FOUND', 'POLICY_TAMPERED', 'POLICY_CHANGED', 'AGENT_SUSPENDED',
  'DELEGATION_SCOPE', 'DENIED_BY_REVIEWER', 'CANCELLED', 'NO_ELIGIBLE_APPROVER', 'approval_timeout',
] as const; // prettier-ignore
export const denialReason = z.enum(denialReasons);
export type DenialReason = z.infer<typeof denialReason>;

export const agentRef = z.object({ id: typeId('agt'), name: z.string() });
export type AgentRef = z.infer<typeof agentRef>;

/** The longest chain of delegations: an agent acts for at most so many others. */
export const maxDelegationDepth = 8;

/** The delegation that an agent lives by, and the agents that it acts for: the first one first, its own parent last. */
export const actingUnder = z.object({
  id: typeId('del'),
  ancestors: z
    .array(agentRef.extend({ owner_member_id: z.string().nullable() }))
    .min(1)
    .max(maxDelegationDepth),
});
export type ActingUnder = z.infer<typeof actingUnder>;

/** An agent that asks. Without `delegation`, or with null, it acts for no other agent. */
export const requestingAgent = agentRef.extend({
  owner_member_id: z.string().nullable(),
  delegation: actingUnder.nullable().optional(),
});

/** The agents of a chain of delegations, the first one first: who acts for whom. */
export const chainOf = ({ id, name, delegation }: z.infer<typeof requestingAgent>): readonly AgentRef[] =>
  [...(delegation?.ancestors ?? []), { id, name }].map((agent) => ({ id: agent.id, name: agent.name }));

/** A key that was used, and the member who is responsible for it; null where unknown. */
export const keyRef = z.object({
  id: typeId('key'),
  made_by: typeId('mbr').nullable(),
  /**
   * The members who were shown the key, or one that it was made with, and for an agent's key also the holders of the key that
   * registered the agent; missing where unknown.
   */
  shown_to: z.array(typeId('mbr')).optional(),
});
export type KeyRef = z.infer<typeof keyRef>;
/** Missing in data of releases before keys were recorded. */
const askedWithKey = keyRef.nullable().optional();

export const policyRef = z.object({
  id: typeId('pol'),
  name: z.string(),
  version: z.number().int().min(1),
  hash: sha256Hex(),
});
export type PolicyRef = z.infer<typeof policyRef>;

/** A submission that the gateway sends to be judged. `metadata` and `data_accessed` are RFC 8785 texts, made once. */
export const submissionItem = z.object({
  item_id: z.string().min(1).max(64),
  /** The gateway instance that waits at `reply.gateway.<instance>.submission`. */
  gateway: z.string().regex(/^[a-z0-9]+$/),
  org_id: typeId('org'),
  /** `suspended`: it is, or an agent that it acts for. */
  agent: requestingAgent.extend({ suspended: z.boolean() }),
  action_type: z.string().min(1).max(255),
  metadata: z.string(),
  data_accessed: z.string(),
  action_digest: digest(),
  /** X-AL-Event-ID; null when the agent sent none; then no later submission counts as a retry. */
  client_event_id: z.string().min(1).max(255).nullable(),
  /**
   * X-AL-Delegation-ID, or the delegation of the key where the agent sent none. An engine of an earlier release denies every
   * submission that has it.
   */
  delegation_id: z.string().nullable(),
  asked_with_key: askedWithKey,
  want_grant: z.boolean(),
  correlation_id: z.string(),
  traceparent: traceparent().nullable(),
  /** The gateway got no answer and sends it again: the log may have it. */
  again: z.boolean().optional(),
});
export type SubmissionItem = z.infer<typeof submissionItem>;

/** The terms of a decision; timeout and escalation do not change when another policy governs the request later. */
export const approvalTerms = z.object({
  timeout_ms: z.number().int().positive(),
  approvals_required: z.number().int().min(1),
  denials_required: z.number().int().min(1),
  approver_groups: z.array(z.object({ group: z.string(), count: z.number().int().min(1) })),
  separation_of_duties: z.boolean(),
  escalation: z.array(escalationStep),
  on_removed: z.enum(['approve', 'deny', 'keep']),
  on_no_approver: z.enum(['escalate', 'deny']),
  /** What the policy warns people of; missing in older data. */
  notice: z.string().nullable().optional(),
  /**
   * The author of the policy version, or the maker of the key that wrote it; null when that was no person, missing when
   * unknown. May not decide requests of an agent without owner (decisions §3.4).
   */
  policy_author: z.string().nullable().optional(),
  /**
   * Every member who may have written the version: the person, and the holders of the key that it was written with. Empty
   * when that was no person or is unknown; missing in older data, which has only `policy_author`.
   */
  policy_authors: z.array(z.string()).optional(),
});
export type ApprovalTerms = z.infer<typeof approvalTerms>;

/** The engine's verdict on an item. `approval_id` and `terms` are set exactly when `decision` is `requested`. */
export const verdict = z.object({
  decision: z.enum(['executed', 'denied', 'requested']),
  denial_reason: denialReason.nullable(),
  policy: policyRef.nullable(),
  conditions_evaluated: z.array(conditionEvaluated),
  approval_id: typeId('apr').nullable(),
  terms: approvalTerms.nullable(),
  /** The instant that `time.*` referred to; a later re-judging uses it again (decisions §4.3). */
  judged_at: instant(),
});
export type Verdict = z.infer<typeof verdict>;

export const appendItem = submissionItem.extend({ verdict });
export type AppendItem = z.infer<typeof appendItem>;

/** A requested action on its way to the approval-service. */
export const openItem = z.object({
  item_id: z.string(),
  gateway: z.string(),
  org_id: typeId('org'),
  approval_id: typeId('apr'),
  audit_event_id: typeId('evt'),
  agent: requestingAgent,
  action_type: z.string(),
  action_digest: digest(),
  metadata: z.string(),
  data_accessed: z.string(),
  policy: policyRef,
  conditions_evaluated: z.array(conditionEvaluated),
  terms: approvalTerms,
  asked_with_key: askedWithKey,
  judged_at: instant(),
  requested_at: instant(),
  timeout_at: instant(),
  correlation_id: z.string(),
  traceparent: traceparent().nullable(),
  /** True when the ledger answers an earlier submission again. */
  replayed: z.boolean(),
});
export type OpenItem = z.infer<typeof openItem>;

/** The first answer, as the ledger stores it and the agent reads it (contract §3). */
export const submissionOutcome = z.object({
  status: z.enum(['executed', 'requested', 'denied', 'policy_not_found']),
  verdict: z.enum(['executed', 'pending_approval', 'denied']),
  denial_reason: denialReason.nullable(),
  policy_name: z.string().nullable(),
  audit_event_id: typeId('evt'),
  approval_id: typeId('apr').nullable(),
  timeout_at: instant().nullable(),
  message: z.string().nullable(),
  conditions_evaluated: z.array(conditionEvaluated),
  /** How many members may decide the request now; null or missing where unknown. */
  eligible_approvers: z.number().int().min(0).nullable().optional(),
});
export type SubmissionOutcome = z.infer<typeof submissionOutcome>;

/** One answer to one item. The gateway refuses it unless `agent_id` and `action_digest` are what it sent (decisions §2.1). */
export const submissionAnswer = z.object({
  item_id: z.string(),
  agent_id: z.string(),
  action_digest: digest(),
  outcome: submissionOutcome.nullable(),
  grant: z.string().nullable(),
  replayed: z.boolean(),
  /** Of an allowed action that is answered again: from when until when its grant is valid. */
  cleared: z.object({ from: instant(), until: instant() }).optional(),
  error: z.object({ code: z.string(), detail: z.string() }).nullable(),
});
export type SubmissionAnswer = z.infer<typeof submissionAnswer>;

/** An item that could not be judged; it always becomes a 503. */
export const submissionUnavailable = z.object({ item_id: z.string(), detail: z.string() });
export type SubmissionUnavailable = z.infer<typeof submissionUnavailable>;
