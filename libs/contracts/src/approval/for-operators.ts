import { z } from 'zod';
import { instant, typeId } from '../primitives.js';

/** Why the caller cannot vote on a request now; the decider refuses the vote for the same reason. */
export const cannotDecideCodes = [
  'AGENT_KEY', 'NOT_A_MEMBER', 'NOT_KNOWN_YET', 'VIEWER', 'JOINED_LATER', 'NOT_IN_GROUPS', 'OWNER', 'KEY_HOLDER',
  'NOT_ADMIN', 'POLICY_AUTHOR', 'DECIDED', 'TIMED_OUT', 'VOTED', 'OTHER',
] as const; // prettier-ignore
export const cannotDecide = z.object({ code: z.enum(cannotDecideCodes), text: z.string() });
export type CannotDecide = z.infer<typeof cannotDecide>;
export type CannotDecideCode = CannotDecide['code'];

const pointer = () =>
  z.string().meta({ description: 'JSON pointer (RFC 6901) into the request, such as /metadata/service' });

export const cueKinds = [
  'first_time', 'largest', 'new_value', 'looks_like', 'recent_denials', 'repeats', 'last_approved',
] as const; // prettier-ignore
/** A fact that the system recorded itself and that may matter for the decision. */
export const cue = z.object({
  kind: z.enum(cueKinds),
  level: z.enum(['warn', 'calm']),
  field: pointer().nullable(),
  params: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .meta({ description: 'The numbers and values of the sentence' }),
});
export type Cue = z.infer<typeof cue>;

export const changedField = z.object({
  field: pointer(),
  change: z.enum(['changed', 'added', 'removed']),
  was: z.unknown().meta({ description: 'The approved value; null where it was not there or is masked' }),
  masked: z.boolean().meta({ description: 'The values look like secrets and are not shown' }),
});
export type ChangedField = z.infer<typeof changedField>;

export const previousApproval = z
  .object({
    approval_id: typeId('apr'),
    decided_at: instant(),
    changed: z.array(changedField),
    changed_truncated: z.boolean().meta({ description: 'True when more fields differ than are listed' }),
  })
  .meta({
    description:
      'The last approved request of the same agent and action type, compared with this one. Null where there is none, or where its values were erased or are too large to compare',
  });
export type PreviousApproval = z.infer<typeof previousApproval>;

const toldTargets = {
  level: z.number().int().min(1),
  contacts: z.array(z.string()).meta({ description: 'Addresses of mail' }),
  channels: z.array(z.string()).meta({ description: 'Ids of channels' }),
};
export const escalationState = z.object({
  level: z.number().int().min(0),
  told: z
    .array(z.object({ ...toldTargets, at: instant() }))
    .meta({ description: 'The newest 20 escalations, oldest first' }),
  next_at: instant().nullable(),
  next: z.object(toldTargets).nullable(),
});
export type EscalationState = z.infer<typeof escalationState>;

/** Members of a request for the operator who reads it. The answer to a decision does not have them. */
export const forOperators = {
  now: instant().meta({ description: 'The database’s time of this answer' }),
  can_decide: z.boolean().meta({ description: 'Whether the caller’s vote would be taken now' }),
  cannot_decide_reason: cannotDecide.nullable(),
  completes: z
    .boolean()
    .meta({ description: 'Whether the caller’s approval would complete the quorum, as the votes are now' }),
  cues: z.array(cue),
  previous: previousApproval.nullable(),
  escalation: escalationState,
};
export type ForOperators = z.infer<z.ZodObject<typeof forOperators>>;

/** What people of the workspace write again and again when they deny. */
export const givenDenialReasons = z
  .object({ reasons: z.array(z.string()).meta({ description: 'Most frequent first, at most five' }) })
  .meta({ id: 'GivenDenialReasons' });
export type GivenDenialReasons = z.infer<typeof givenDenialReasons>;

const count = () => z.number().int().min(0);
/** Figures of a queue, beside the page. */
export const queueFigures = {
  now: instant().optional().meta({ description: 'The database’s time of this answer' }),
  total: count().nullable().optional().meta({
    description:
      'How many requests the filter finds. Null for requests that have ended, which are not counted, and for agents',
  }),
  counts: z
    .object({ under_5_minutes: count(), under_1_hour: count(), later: count() })
    .nullable()
    .optional()
    .meta({ description: 'The same by the time that is left, each request once' }),
  hidden: count()
    .optional()
    .meta({ description: 'With `decidable=true`: the others, which the caller cannot decide' }),
};
export type QueueFigures = z.infer<z.ZodObject<typeof queueFigures>>;
