import { z } from 'zod';
import {
  approvalFilter,
  approvalPage,
  approvalStatus,
  approvalView,
  consumedGrant,
  decidingOperator,
  decisionReason,
  grantToken,
  searchText,
  votePending,
} from '../approval/approval.js';
import { givenDenialReasons } from '../approval/for-operators.js';
import { foreverReach } from '../approval/forever-preview.js';
import { overview, overviewRanges, timeZone } from '../approval/overview.js';
import { foreverFor, seenMs } from '../events/approval.js';
import { digest, typeId } from '../primitives.js';
import { jwk } from './audit-ledger.js';
import { command, idempotentCommand, query } from './command.js';
import { erasableValues, ping, replay } from './every-service.js';

/** `agent_id`: an agent finds its own requests and those of agents that act for it (decisions §3.5); null for operators. */
const one = { org_id: typeId('org'), approval_id: typeId('apr'), agent_id: typeId('agt').nullable() };

const decision = {
  org_id: typeId('org'),
  approval_id: typeId('apr'),
  operator: decidingOperator,
  reason: decisionReason.nullable(),
  /** Missing where the client does not say it. */
  seen_ms: seenMs().optional(),
  correlation_id: z.string().nullable(),
};
/** The operator who reads; missing from gateways of earlier releases. */
const viewer = decidingOperator.optional();
/** The decided request, or the state of the votes. */
const decided = z.union([approvalView, votePending]);

export const approvalServiceCommands = {
  // Decisions are recognised by the id of their command when they are sent again.
  approve: idempotentCommand(
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
  deny: idempotentCommand('approval-service', 'deny', z.object(decision), decided),
  withdraw_vote: idempotentCommand(
    'approval-service',
    'withdraw_vote',
    z.object(decision).omit({ reason: true, seen_ms: true }),
    votePending,
  ),
  /** By the agent that asked. */
  cancel: idempotentCommand(
    'approval-service',
    'cancel',
    z
      .object(decision)
      .omit({ operator: true, seen_ms: true })
      .extend({ agent_id: typeId('agt'), key_id: typeId('key').nullable() }),
    approvalStatus,
  ),
  erasable_values: erasableValues('approval-service'),
  /**
   * Uses up a grant, judged at that moment: once, and never for a suspended agent or against a policy that denies now.
   * Refused with NOT_FOUND, ACTION_MISMATCH, GRANT_EXPIRED, GRANT_CONSUMED, AGENT_SUSPENDED or POLICY_DENIED, in this order.
   */
  consume_grant: command(
    'approval-service',
    'consume_grant',
    z.object({
      org_id: typeId('org'),
      grant: grantToken(),
      action_digest: digest(),
      /** The calling agent, which may consume only its own grants. Null: a service key with that scope. */
      agent_id: typeId('agt').nullable(),
      key_id: typeId('key').nullable(),
      correlation_id: z.string().nullable(),
    }),
    consumedGrant,
  ),
  /** Public keys of the grants of approvals. */
  jwks: query('approval-service', 'jwks', z.object({}), z.object({ keys: z.array(jwk) })),
  get_approval: query('approval-service', 'get_approval', z.object({ ...one, viewer }), approvalView),
  approval_status: query('approval-service', 'approval_status', z.object(one), approvalStatus),
  list_approvals: query(
    'approval-service',
    'list_approvals',
    approvalFilter.extend({
      org_id: typeId('org'),
      /** Also the requests of agents that act for `agent_id`: what an agent sees (decisions §3.5). */
      with_delegates: z.boolean().optional(),
      /** Null: the agent that `agent_id` names. */
      viewer: viewer.nullable(),
      /** Only requests that the viewer can decide. */
      decidable: z.boolean().optional(),
      q: searchText.optional(),
      cursor: z.string().nullable(),
      limit: z.number().int().min(1).max(200),
    }),
    approvalPage,
  ),
  /** What an approval "forever" of a request would reach; refused with NOT_FOUND. */
  forever_reach: query(
    'approval-service',
    'forever_reach',
    z.object({
      org_id: typeId('org'),
      approval_id: typeId('apr'),
      viewer: decidingOperator,
      forever_for: z.enum(foreverFor),
    }),
    foreverReach,
  ),
  overview: query(
    'approval-service',
    'overview',
    z.object({ org_id: typeId('org'), range: z.enum(overviewRanges), tz: timeZone() }),
    overview,
  ),
  denial_reasons: query(
    'approval-service',
    'denial_reasons',
    z.object({ org_id: typeId('org') }),
    givenDenialReasons,
  ),
  replay: replay('approval-service'),
  ping: ping('approval-service'),
};
