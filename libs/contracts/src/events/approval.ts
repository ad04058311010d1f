import { z } from 'zod';
import { escalationStep } from '../policy/policy.js';
import { digest, instant, typeId } from '../primitives.js';
import { agentRef, approvalTerms, denialReason, keyRef, policyRef } from '../submission/items.js';

/** Stands in every event of an approval, so that no reader needs the ones before. */
const subject = {
  approval_id: typeId('apr'),
  audit_event_id: typeId('evt'),
  agent: agentRef.extend({ owner_member_id: z.string().nullable() }),
  action_type: z.string(),
  policy: policyRef,
};

export const approvalOpenedV1 = z.strictObject({
  ...subject,
  action_digest: digest(),
  terms: approvalTerms,
  asked_with_key: keyRef.nullable().optional(),
  judged_at: instant(),
  requested_at: instant(),
  timeout_at: instant(),
});

export const approvalTimedOutV1 = z.strictObject({ ...subject, timeout_at: instant() });

/** `once` lets this request through; `forever` also turns the requirement off (design §3.3). */
export const approvalScopes = ['once', 'forever'] as const;
/** What "forever" is about: the governing policy, or this one action type below its wildcard (decisions §4.4). */
export const foreverFor = ['policy', 'action_type'] as const;
export const voteDecisions = ['approve', 'deny'] as const;

/** One person's standing vote; what was said with it is erasable and is kept apart. */
const vote = z.strictObject({
  member_id: typeId('mbr'),
  decision: z.enum(voteDecisions),
  /** Of the approver groups those that the person was in when voting. */
  groups: z.array(z.string()),
  at: instant(),
  /** Set when the person approved for ever. */
  forever_for: z.enum(foreverFor).nullable(),
  /** What it was cast with. */
  key: keyRef.nullable().optional(),
});
export type Vote = z.infer<typeof vote>;
const tally = z.strictObject({ have: z.number().int().min(0), need: z.number().int().min(1) });

/** A vote that leaves the request open; the vote that completes it stands in `approval.approved` or `approval.denied`. */
export const approvalVoteCastV1 = z.strictObject({ ...subject, vote, approvals: tally, denials: tally });
export const approvalVoteWithdrawnV1 = z.strictObject({
  ...subject,
  member_id: typeId('mbr'),
  approvals: tally,
  denials: tally,
});

/** `level` counts the steps from 1; `repetition` is 0 for the step itself and counts its repeats from 1. */
export const approvalEscalatedV1 = z.strictObject({
  ...subject,
  level: z.number().int().min(1),
  repetition: z.number().int().min(0),
  step: escalationStep,
  timeout_at: instant(),
});

/** The policy event because of which the system decided, or because of which another policy governs. */
const policyChange = z.strictObject({
  event_id: z.string().min(1).max(90),
  type: z.string(),
  policy_id: typeId('pol'),
  policy_name: z.string(),
  policy_version: z.number().int().min(1),
});
export type PolicyChange = z.infer<typeof policyChange>;

/** Another policy, or another version of it, governs the request now; it goes on waiting under these terms. */
export const approvalPolicyChangedV1 = z.strictObject({
  ...subject,
  previous_policy: policyRef,
  terms: approvalTerms,
  change: policyChange,
  /** The votes that stand under the new terms; missing in events of earlier releases, whose readers derived them. */
  votes: z.array(vote).optional(),
});

const resolution = {
  /** In the order they were cast; empty when the system decided. */
  votes: z.array(vote),
  /** Set when a change of policy decided; a person did otherwise. */
  change: policyChange.nullable(),
};

export const approvalApprovedV1 = z.strictObject({
  ...subject,
  ...resolution,
  action_digest: digest(),
  scope: z.enum(approvalScopes),
  forever_for: z.enum(foreverFor).nullable(),
  /** Who approved for ever; null with scope `once`. */
  forever_by: typeId('mbr').nullable(),
  /** `exp` of the grant; its `iat` is this event's time and its `jti` the approval. */
  grant_expires_at: instant(),
});
export const approvalDeniedV1 = z.strictObject({ ...subject, ...resolution, denial_reason: denialReason });
/** By the agent that asked; or by the system, where the agent was suspended and its requests with it. */
export const approvalCancelledV1 = z.strictObject({
  ...subject,
  /** The `agent.suspended` that ended it; missing when the agent withdrew it, and before suspensions cancelled requests. */
  suspension: z.strictObject({ event_id: typeId('evt') }).optional(),
});
export const approvalCancelledV2 = z.strictObject({
  ...subject,
  /** The `agent.suspended` that ended it; null when the agent withdrew it. */
  suspension: z.strictObject({ event_id: typeId('evt') }).nullable(),
});
export const upcastApprovalCancelledV1 = (
  data: z.infer<typeof approvalCancelledV1>,
): z.infer<typeof approvalCancelledV2> => ({ ...data, suspension: data.suspension ?? null });

/** The grant was used up: what it cleared is done once, and the next one is refused. */
export const approvalGrantConsumedV1 = z.strictObject({
  ...subject,
  action_digest: digest(),
  /** Of the grant; the grant itself is kept nowhere. */
  jti: z.string().min(1).max(255),
});
