import { z } from 'zod';
import { cursor, digest, instant, limit, typeId } from '../primitives.js';
import { agentRef, conditionEvaluated, policyRef } from '../submission/items.js';

export const approvalStatuses = [
  'pending',
  'escalated',
  'approved',
  'denied',
  'timed_out',
  'cancelled',
] as const;

/** One step in the life of a request. */
export const approvalHistoryItem = z.object({
  type: z.string(),
  at: instant(),
  operator: z.object({ id: z.string(), via: z.string() }).nullable(),
  note: z.string().nullable(),
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
    action_type: z.string(),
    action_digest: digest(),
    policy: policyRef,
    policy_name: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    data_accessed: z.array(z.unknown()),
    conditions_evaluated: z.array(conditionEvaluated),
    created_at: instant(),
    timeout_at: instant(),
    time_left_seconds: z
      .number()
      .min(0)
      .meta({ description: '0 once decided or past the deadline; by the database clock' }),
    approvals: z.object({ have: z.number().int(), need: z.number().int() }),
    denials: z.object({ have: z.number().int(), need: z.number().int() }),
    approver_groups: z.array(z.object({ group: z.string(), count: z.number().int() })),
    separation_of_duties: z.boolean(),
    reason: z.string().nullable(),
    resolved_by: z.string().nullable(),
    resolved_at: instant().nullable(),
    history: z.array(approvalHistoryItem),
  })
  .meta({ id: 'Approval' });
export type ApprovalView = z.infer<typeof approvalView>;

/** What the waiting agent polls (contract §3). A cancelled request answers `denied` with reason `cancelled`. */
export const approvalStatus = z
  .object({
    status: z.enum(['pending', 'escalated', 'approved', 'denied', 'timed_out']),
    approval_id: typeId('apr'),
    reason: z.string().nullable(),
    resolved_by: z.string().nullable(),
    resolved_at: instant().nullable(),
    timeout_at: instant(),
    grant: z.string().nullable(),
  })
  .meta({ id: 'ApprovalStatus' });
export type ApprovalStatus = z.infer<typeof approvalStatus>;

export const approvalFilter = z.object({
  status: z.enum(approvalStatuses).optional(),
  action_type: z.string().max(255).optional(),
  agent_id: z.string().max(255).optional(),
  policy_id: z.string().max(255).optional(),
});
export const approvalQuery = approvalFilter.extend({ cursor: cursor().optional(), limit: limit(200, 50) });
