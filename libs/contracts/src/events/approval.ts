import { z } from 'zod';
import { escalationStep } from '../policy/policy.js';
import { digest, instant, typeId } from '../primitives.js';
import { agentRef, approvalTerms, denialReason, keyRef, policyRef } from '../submission/items.js';

/** In every event of an approval, so that a reader needs no earlier event. */
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

/** `once` approves this request; `forever` also changes the policy to allow (design §3.3). */
export const approvalScopes = ['once', 'forever'] as const;
/** What "forever" applies to: the governing policy, or this one action type below its wildcard (decisions §4.4). */
export const foreverFor = ['policy', 'action_type'] as const;
export const voteDecisions = ['approve', 'deny'] as const;

/** How long a person had the request on the screen before voting; at most a day. */
export const seenMs = () => z.number().int().min(0).max(86_400_000);

/** One person's vote that is not withdrawn; its reason is erasable and is stored apart. */
const vote = z.strictObject({
  member_id: typeId('mbr'),
  decision: z.enum(voteDecisions),
  /** The approver groups that the person was in when voting. */
  groups: z.array(z.string()),
  at: instant(),
  /** Set when the person approved forever. */
  forever_for: z.enum(foreverFor).nullable(),
  /** The key of the vote. */
  key: keyRef.nullable().optional(),
  /** By the client's clock; missing where the client does not say it. */
  seen_ms: seenMs().optional(),
});
export type Vote = z.infer<typeof vote>;
const tally = z.strictObject({ have: z.number().int().min(0), need: z.number().int().min(1) });

/** A vote that leaves the request open; the vote that completes it is in `approval.approved` or `approval.denied`. */
export const approvalVoteCastV1 = z.strictObject({ ...subject, vote, approvals: tally, denials: tally });
export const approvalVoteWithdrawnV1 = z.strictObject({
  ...subject,
  member_id: typeId('mbr'),
  approvals: tally,
  denials: tally,
});

/** `level` is the number of the step, from 1; `repetition` is 0 for the step itself and counts its repeats from 1. */
export const approvalEscalatedV1 = z.strictObject({
  ...subject,
  level: z.number().int().min(1),
  repetition: z.number().int().min(0),
  step: escalationStep,
  timeout_at: instant(),
});

/** The policy event that made the system decide, or that made another policy govern. */
const policyChange = z.strictObject({
  event_id: z.string().min(1).max(90),
  type: z.string(),
  policy_id: typeId('pol'),
  policy_name: z.string(),
  policy_version: z.number().int().min(1),
});
export type PolicyChange = z.infer<typeof policyChange>;

/** Another policy, or another version of it, governs the request now; it stays pending under these terms. */
export const approvalPolicyChangedV1 = z.strictObject({
  ...subject,
  previous_policy: policyRef,
  terms: approvalTerms,
  change: policyChange,
  /** The votes that remain under the new terms; missing in events of earlier releases, whose readers derived them. */
  votes: z.array(vote).optional(),
});

const resolution = {
  /** In the order they were cast; empty when the system decided. */
  votes: z.array(vote),
  /** Set when a change of policy decided; null when a person decided. */
  change: policyChange.nullable(),
};

export const approvalApprovedV1 = z.strictObject({
  ...subject,
  ...resolution,
  action_digest: digest(),
  scope: z.enum(approvalScopes),
  forever_for: z.enum(foreverFor).nullable(),
  /** Who approved forever; null with scope `once`. */
  forever_by: typeId('mbr').nullable(),
  /** `exp` of the grant; its `iat` is this event's time and its `jti` the approval. */
  grant_expires_at: instant(),
});
export const approvalDeniedV1 = z.strictObject({ ...subject, ...resolution, denial_reason: denialReason });
/** Cancelled by the agent itself, or by the system when the agent was suspended with `pending: cancel`. */
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

/** The grant was used up; the next use is refused. */
export const approvalGrantConsumedV1 = z.strictObject({
  ...subject,
  action_digest: digest(),
  /** From the grant; the grant itself is not stored. */
  jti: z.string().min(1).max(255),
});
