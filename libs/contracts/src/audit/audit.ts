import { z } from 'zod';
import { memberName } from '../approval/approval.js';
import { cursor, givenInstant, instant, jsonObject, limit, sha256Hex, typeId } from '../primitives.js';
import { denialReason } from '../submission/items.js';

/** An entry joined with its erasable content, as people and the published client read it (contract §7, decisions §6). */
export const auditEvent = z
  .object({
    id: typeId('evt'),
    seq: z.number().int().min(0),
    leaf_hash: sha256Hex(),
    type: z.string(),
    decision: z.string().nullable(),
    status: z.string().meta({ description: 'The decision, else the last part of the type' }),
    denial_reason: denialReason.nullable(),
    action_type: z.string().nullable(),
    timestamp: instant(),
    created_at: instant(),
    agent: z.object({ id: z.string(), name: z.string() }).nullable(),
    agent_id: z.string().nullable(),
    agent_name: z.string().nullable(),
    operator: z.object({ id: z.string(), name: z.string().nullable(), via: z.string() }).nullable(),
    reason: z.string().nullable(),
    note: z.string().nullable(),
    resolved_by: z.string().nullable(),
    resolved_by_name: memberName(),
    policy: z
      .object({ id: z.string(), name: z.string(), version: z.number().int(), hash: sha256Hex() })
      .nullable(),
    policy_id: z.string().nullable(),
    policy_name: z.string().nullable(),
    policy_version: z.string().nullable().meta({ description: 'A string, as the published client reads it' }),
    approval_id: z.string().nullable(),
    correlation_id: z.string().nullable(),
    source: z.string(),
    source_seq: z.number().int().min(1),
    metadata: jsonObject(),
    data_accessed: z.array(z.unknown()),
    masked: z.array(z.string()).optional().meta({
      description: 'JSON pointers of values that look like secrets; operators get null in their place',
    }),
  })
  .meta({ id: 'AuditEvent' });
export type AuditEvent = z.infer<typeof auditEvent>;

export const auditFilter = z.object({
  event_id: z.string().max(255).optional().meta({ description: 'The entry of exactly this event' }),
  approval_id: z.string().max(255).optional(),
  agent_id: z.string().max(255).optional(),
  action_type: z.string().max(255).optional(),
  type: z.string().max(255).optional(),
  decision: z.string().max(255).optional(),
  operator_id: z.string().max(255).optional(),
  policy_id: z.string().max(255).optional(),
  from_time: givenInstant().optional(),
  to_time: givenInstant().optional(),
});
export const auditQuery = auditFilter.extend({ cursor: cursor().optional(), limit: limit(200, 50) });
export type AuditQuery = z.infer<typeof auditQuery>;

export const auditVerification = z
  .object({
    org_id: typeId('org'),
    chain_valid: z.boolean(),
    verified_through_row: z.number().int().min(0).meta({ description: 'Number of entries checked' }),
    chain_hash: sha256Hex().nullable().meta({ description: 'Leaf hash of the last entry checked' }),
    first_broken_at_row_id: z.string().nullable(),
    first_broken_at_seq: z.number().int().min(0).nullable(),
    reason: z.string().nullable().meta({ description: 'What is wrong with the first broken entry' }),
    verified_from_checkpoint: z.boolean(),
    complete: z.boolean().meta({ description: 'False while a newer full check still runs' }),
    timestamp: instant(),
  })
  .meta({ id: 'AuditVerification' });
export type AuditVerification = z.infer<typeof auditVerification>;
