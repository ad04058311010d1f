import { z } from 'zod';
import { foreverFor, seenMs, voteDecisions } from '../events/approval.js';
import {
  cursor,
  digest,
  instant,
  jsonObject,
  limit,
  operatorRoles,
  rulesBeyondSchema,
  typeId,
} from '../primitives.js';
import { agentRef, conditionEvaluated, denialReason, keyRef, policyRef } from '../submission/items.js';
import { forOperators, queueFigures } from './for-operators.js';

export const approvalStatuses = [
  'pending',
  'escalated',
  'approved',
  'denied',
  'timed_out',
  'cancelled',
] as const;

/**
 * The name of the member whose id is in the neighbouring field. The services store only ids; the gateway adds names
 * (docs/contract.md §8).
 */
export const memberName = () =>
  z.string().nullable().optional().meta({
    description: 'The name of that member; null or missing where it is not known',
  });

/** One step in the life of a request. */
export const approvalHistoryItem = z.object({
  event_id: typeId('evt').optional().meta({ description: 'Of its entry in the audit log' }),
  type: z.string(),
  at: instant(),
  operator: z.object({ id: z.string(), name: memberName(), via: z.string() }).nullable(),
  key: keyRef.nullable().meta({ description: 'The key of the request or vote, and the maker of that key' }),
  reason: z.string().nullable().meta({ description: 'What the person said' }),
  note: z.string().nullable().meta({ description: 'Why the system did it' }),
});

const tally = z.object({ have: z.number().int().min(0), need: z.number().int().min(1) });
/** Seats that are still open; `group` null: any person who may decide. */
const seatsOpen = z.array(z.object({ group: z.string().nullable(), count: z.number().int().min(1) }));

export const approvalVote = z.object({
  member_id: typeId('mbr'),
  member_name: memberName(),
  decision: z.enum(voteDecisions),
  groups: z
    .array(z.string())
    .optional()
    .meta({ description: 'The approver groups that the person was in when voting' }),
  reason: z.string().nullable().meta({ description: 'What the person said; null in lists' }),
  at: instant(),
  key: keyRef.nullable().meta({ description: 'The key of the vote, and the maker of that key' }),
  counts: z.boolean().meta({
    description: 'False while another vote counts that a holder of its key may have cast as well',
  }),
});

/** Names are for those who wait: they know then whom to ask. */
export const mostAsked = 10;
const askedMembers = z
  .object({
    count: z.number().int().min(0),
    members: z.array(z.object({ id: typeId('mbr'), name: memberName() })).max(mostAsked),
  })
  .meta({
    description:
      'The members who may decide the request now and have not voted: how many, and the first of them. Only in the single view of an open request',
  });

/** A request as operators see it. `pending` filters include `escalated` (decisions §1). */
export const approvalView = z
  .object({
    id: typeId('apr'),
    approval_id: typeId('apr'),
    audit_event_id: typeId('evt'),
    status: z.enum(approvalStatuses),
    escalation_level: z.number().int().min(0),
    agent: agentRef,
    asked_with_key: keyRef.nullable(),
    action_type: z.string(),
    action_digest: digest(),
    policy: policyRef.extend({
      unconditional: z.boolean().nullable().optional().meta({
        description: 'Whether the policy asks for every action; null where the conditions were erased',
      }),
      notice: z.string().nullable().optional().meta({ description: 'What the policy warns people of' }),
    }),
    policy_name: z.string(),
    metadata: jsonObject(),
    data_accessed: z.array(z.unknown()),
    masked: z.array(z.string()).optional().meta({
      description:
        'JSON pointers (RFC 6901) of values that look like secrets, such as /metadata/api_token. They are null in every answer to an operator; the digest is of the real values',
    }),
    conditions_evaluated: z.array(conditionEvaluated),
    created_at: instant(),
    timeout_at: instant(),
    window_seconds: z.number().min(0).optional().meta({ description: 'From the request to its deadline' }),
    time_left_seconds: z
      .number()
      .min(0)
      .meta({ description: '0 once decided or past the deadline; by the database clock' }),
    approvals: tally,
    denials: tally,
    seats_open: seatsOpen,
    votes: z.array(approvalVote),
    approver_groups: z.array(z.object({ group: z.string(), count: z.number().int() })),
    asked: askedMembers.optional(),
    separation_of_duties: z.boolean(),
    reason: z.string().nullable(),
    denial_reason: denialReason.nullable(),
    scope: z.enum(['once', 'forever']).nullable().meta({ description: 'Set once approved' }),
    resolved_by: z.string().nullable().meta({ description: 'Null when the system decided' }),
    resolved_by_name: memberName(),
    resolved_at: instant().nullable(),
    grant_expires_at: instant()
      .nullable()
      .optional()
      .meta({ description: 'Until when the grant of an approved request counts' }),
    history: z
      .array(approvalHistoryItem)
      .meta({ description: 'Oldest first. Empty in lists; the single view has it' }),
    history_truncated: z.boolean().optional().meta({
      description: 'True when something is left out: older history, or the reasons of older votes',
    }),
  })
  .extend(z.object(forOperators).partial().shape)
  .meta({ id: 'Approval' });
export type ApprovalView = z.infer<typeof approvalView>;

/** The status as the waiting agent reads it (contract §3). A cancelled request answers `denied` with reason `cancelled`. */
export const approvalStatus = z
  .object({
    status: z.enum(['pending', 'escalated', 'approved', 'denied', 'timed_out']),
    approval_id: typeId('apr'),
    reason: z.string().nullable(),
    denial_reason: denialReason.nullable(),
    resolved_by: z.string().nullable(),
    resolved_by_name: memberName(),
    resolved_at: instant().nullable(),
    timeout_at: instant(),
    grant: z
      .string()
      .nullable()
      .meta({ description: 'Of an approved request; the same token at every reading' }),
  })
  .meta({ id: 'ApprovalStatus' });
export type ApprovalStatus = z.infer<typeof approvalStatus>;

/** What a wake-up may carry: the final status of a request, for waiters that were authorized by their first reading. */
export const wakeHint = z.object({ org_id: typeId('org'), ended: approvalStatus });
export type WakeHint = z.infer<typeof wakeHint>;

/** A vote that does not complete the request (decisions §5). */
export const votePending = z
  .object({
    status: z.literal('pending'),
    approval_id: typeId('apr'),
    approvals: tally,
    denials: tally,
    seats_open: seatsOpen,
  })
  .meta({ id: 'VotePending' });
export type VotePending = z.infer<typeof votePending>;

/**
 * The person who decides, as the gateway knows them; the approval-service checks it against its own data (decisions §3.3).
 */
export const decidingOperator = z.object({
  member_id: typeId('mbr'),
  key_id: typeId('key').nullable(),
  /** The maker of the key; missing where that is unknown. */
  key_made_by: typeId('mbr').nullable().optional(),
  /** The members who were shown the key, or one that it was made with. */
  key_shown_to: z.array(typeId('mbr')).optional(),
  role: z.enum(operatorRoles),
  via: z.enum(['api', 'dashboard', 'mcp', 'cli', 'slack', 'email']),
});
export type DecidingOperator = z.infer<typeof decidingOperator>;

/** A grant: a compact JWS. Its form is not checked here, because a text that is no grant is answered with 404. */
export const grantToken = () => z.string().min(1).max(4096).meta({ description: 'Compact JWS (EdDSA)' });

/** A grant that was used up by this call; it cannot be used again. */
export const consumedGrant = z
  .object({
    status: z.literal('consumed'),
    approval_id: typeId('apr'),
    audit_event_id: typeId('evt'),
    agent_id: typeId('agt'),
    action_type: z.string(),
    action_digest: digest(),
    consumed_at: instant(),
  })
  .meta({ id: 'ConsumedGrant' });
export type ConsumedGrant = z.infer<typeof consumedGrant>;

/** The reason that an operator may give with a decision. */
export const decisionReason = z.string().max(2000);
const seen = seenMs().optional().meta({
  description: 'Milliseconds from the first display of the request to this decision, by the client’s clock',
});
export const approveInput = z
  .strictObject({
    reason: decisionReason.nullish(),
    scope: z.enum(['once', 'forever']).default('once'),
    forever_for: z.enum(foreverFor).optional().meta({
      description:
        'With scope forever; default `policy`. `action_type`: an exact allow in addition to a wildcard policy',
    }),
    policy_version: z
      .number()
      .int()
      .min(1)
      .optional()
      .meta({ description: 'With scope forever: 409 POLICY_CHANGED if another version governs now' }),
    seen_ms: seen,
  })
  .superRefine(({ scope, ...rest }, context) => {
    for (const member of ['forever_for', 'policy_version'] as const)
      if (scope === 'once' && rest[member] !== undefined)
        context.addIssue({ code: 'custom', path: [member], message: 'needs scope forever' });
  })
  .prefault({})
  .meta({ id: 'ApproveInput', ...rulesBeyondSchema('needs scope forever') });
export const denyInput = z
  .strictObject({ reason: decisionReason.nullish(), seen_ms: seen })
  .prefault({})
  .meta({ id: 'DenyInput' });
export const cancelInput = z
  .strictObject({ reason: decisionReason.nullish() })
  .prefault({})
  .meta({ id: 'CancelInput' });

/** `decided`: every request that has ended. */
export const approvalFilterStatuses = [...approvalStatuses, 'decided'] as const;
export const approvalFilter = z.object({
  status: z.enum(approvalFilterStatuses).optional(),
  action_type: z.string().max(255).optional(),
  agent_id: z.string().max(255).optional(),
  policy_id: z.string().max(255).optional(),
});
export const searchText = z.string().min(1).max(200);
export const approvalQuery = approvalFilter.extend({
  decidable: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: '`true`: only open requests that the caller can decide' }),
  q: searchText.optional().meta({
    description:
      'Text in the action type, in the names of agent and policy, or in metadata of at most 4096 bytes, without regard to case. Masked values are not searched',
  }),
  cursor: cursor().optional(),
  limit: limit(200, 50),
});

/** A page of requests. */
export const approvalPage = z.object({
  approvals: z.array(approvalView),
  next_cursor: z.string().nullable(),
  ...queueFigures,
});
export type ApprovalPage = z.infer<typeof approvalPage>;
