import { z } from 'zod';
import {
  approvalFilter,
  approvalStatus,
  approvalView,
  decidingOperator,
  decisionReason,
  votePending,
} from '../approval/approval.js';
import { foreverFor } from '../events/approval.js';
import { typeId } from '../primitives.js';
import { jwk } from './audit-ledger.js';
import { command } from './command.js';
import { ping, replay } from './every-service.js';

/** `agent_id`: when an agent asks, only its own requests exist for it (decisions §3.5); null for operators. */
const one = { org_id: typeId('org'), approval_id: typeId('apr'), agent_id: typeId('agt').nullable() };

const decision = {
  org_id: typeId('org'),
  approval_id: typeId('apr'),
  operator: decidingOperator,
  reason: decisionReason.nullable(),
  correlation_id: z.string().nullable(),
};
/** The request as it is decided, or how far it is. */
const decided = z.union([approvalView, votePending]);

export const approvalServiceCommands = {
  approve: command(
    'approval-service',
    'approve',
    z.object({
      ...decision,
      /** Null: once. */
      forever_for: z.enum(foreverFor).nullable(),
      /** Refused with POLICY_CHANGED when another version of the policy governs the request. */
      policy_version: z.number().int().min(1).nullable(),
    }),
    decided,
  ),
  deny: command('approval-service', 'deny', z.object(decision), decided),
  withdraw_vote: command(
    'approval-service',
    'withdraw_vote',
    z.object(decision).omit({ reason: true }),
    votePending,
  ),
  /** By the agent that asked. */
  cancel: command(
    'approval-service',
    'cancel',
    z
      .object(decision)
      .omit({ operator: true })
      .extend({ agent_id: typeId('agt'), key_id: typeId('key').nullable() }),
    approvalStatus,
  ),
  /**
   * What was said with events, for the ledger, which commits to it. As many of those asked for are answered as fit one
   * message, the first at least; one that was answered and has no values said nothing.
   */
  erasable_values: command(
    'approval-service',
    'erasable_values',
    z.object({
      events: z
        .array(z.object({ org_id: typeId('org'), event_id: typeId('evt') }))
        .min(1)
        .max(64),
    }),
    z.object({
      answered: z.array(z.string()),
      values: z.array(
        z.object({ event_id: z.string(), reason: z.string().nullable(), note: z.string().nullable() }),
      ),
    }),
  ),
  /** Public keys of the grants of approvals. */
  jwks: command('approval-service', 'jwks', z.object({}), z.object({ keys: z.array(jwk) })),
  get_approval: command('approval-service', 'get_approval', z.object(one), approvalView),
  approval_status: command('approval-service', 'approval_status', z.object(one), approvalStatus),
  list_approvals: command(
    'approval-service',
    'list_approvals',
    approvalFilter.extend({
      org_id: typeId('org'),
      cursor: z.string().nullable(),
      limit: z.number().int().min(1).max(200),
    }),
    z.object({ approvals: z.array(approvalView), next_cursor: z.string().nullable() }),
  ),
  replay: replay('approval-service'),
  ping: ping('approval-service'),
};
