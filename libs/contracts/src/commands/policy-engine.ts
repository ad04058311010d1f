import { z } from 'zod';
import { policyChange, policyContent, policyVersion, policyView } from '../policy/policy.js';
import { decidingOperator } from '../approval/approval.js';
import { foreverPlan } from '../approval/forever-preview.js';
import { foreverFor } from '../events/approval.js';
import { actor, instant, jsonObject, typeId } from '../primitives.js';
import {
  agentRef,
  approvalTerms,
  conditionEvaluated,
  denialReason,
  policyRef,
  requestingAgent,
} from '../submission/items.js';
import { command, query } from './command.js';
import {
  delegationCapabilities,
  delegationRoles,
  delegationTtl,
  delegationView,
  revokedDelegation,
} from '../delegation/delegation.js';
import { ping, replay } from './every-service.js';

const change = {
  org_id: typeId('org'),
  actor,
  correlation_id: z.string().nullable(),
  /** The maker of the service key that writes; missing when no service key writes, or the maker is unknown. */
  written_by: typeId('mbr').optional(),
  /** The holders of the key that writes: its maker, and everyone who was shown it or a key that it was made with. */
  key_holders: z.array(typeId('mbr')).optional(),
};
const one = { org_id: typeId('org'), policy_id: typeId('pol') };
/** The version of the If-Match header; null changes any version. */
const expectedVersion = z.number().int().min(1).nullable();

/** What an approval "forever" did to the policies. */
export const policyChangeResult = z
  .object({
    changed: z.boolean(),
    policy_id: typeId('pol').meta({ description: 'The policy that was changed, created, or not changed' }),
    policy_version: z.number().int().min(1).nullable(),
    detail: z.string(),
  })
  .meta({ id: 'PolicyChangeByApproval' });

export const policyEngineCommands = {
  create_policy: command(
    'policy-engine',
    'create_policy',
    z.object({ ...change, policy: policyContent }),
    policyView,
  ),
  update_policy: command(
    'policy-engine',
    'update_policy',
    z.object({ ...change, policy_id: typeId('pol'), patch: policyChange, expected_version: expectedVersion }),
    policyView,
  ),
  delete_policy: command(
    'policy-engine',
    'delete_policy',
    z.object({ ...change, policy_id: typeId('pol'), expected_version: expectedVersion }),
    z.object({ policy_id: typeId('pol'), version: z.number().int().min(1) }),
  ),
  get_policy: query('policy-engine', 'get_policy', z.object(one), policyView),
  list_policies: query(
    'policy-engine',
    'list_policies',
    z.object({
      org_id: typeId('org'),
      action_type: z.string().nullable(),
      active: z.boolean().nullable(),
      cursor: z.string().nullable(),
      limit: z.number().int().min(1).max(200),
    }),
    z.object({ policies: z.array(policyView), next_cursor: z.string().nullable() }),
  ),
  list_versions: query(
    'policy-engine',
    'list_versions',
    z.object({ ...one, cursor: z.string().nullable(), limit: z.number().int().min(1).max(200) }),
    z.object({ versions: z.array(policyVersion), next_cursor: z.string().nullable() }),
  ),
  /** A dry run: the answer that a submission would get now; writes nothing. */
  check: query(
    'policy-engine',
    'check',
    z.object({
      org_id: typeId('org'),
      /** Null when an operator or a service asks. */
      agent: requestingAgent.extend({ suspended: z.boolean() }).nullable(),
      action_type: z.string().min(1).max(255),
      metadata: jsonObject(),
      data_accessed: z.array(jsonObject()),
    }),
    z.object({
      decision: z.enum(['executed', 'denied', 'requested']),
      denial_reason: denialReason.nullable(),
      policy: policyRef.nullable(),
      conditions_evaluated: z.array(conditionEvaluated),
    }),
  ),
  /** Judges pending requests again, each by its own time and agent facts and by a set no older than this call (decisions §4.3). */
  rejudge: command(
    'policy-engine',
    'rejudge',
    z.object({
      org_id: typeId('org'),
      items: z
        .array(
          z.object({
            approval_id: typeId('apr'),
            agent: requestingAgent,
            action_type: z.string().min(1).max(255),
            /** RFC 8785 texts, as they were submitted. */
            metadata: z.string(),
            data_accessed: z.string(),
            judged_at: instant(),
          }),
        )
        .min(1)
        .max(100),
    }),
    z.object({
      /** In the requested order: as many as fit one message, at least the first. */
      judgements: z.array(
        z.object({
          approval_id: typeId('apr'),
          decision: z.enum(['executed', 'denied', 'requested']),
          denial_reason: denialReason.nullable(),
          policy: policyRef.nullable(),
          conditions_evaluated: z.array(conditionEvaluated),
          /** Set exactly when a person must decide. */
          terms: approvalTerms.nullable(),
        }),
      ),
    }),
    ['approval-service'],
  ),
  /** Changes the policy to allow after an approval "forever", once for each approval (design §3.3). */
  allow_forever: command(
    'policy-engine',
    'allow_forever',
    z.object({
      org_id: typeId('org'),
      approval_id: typeId('apr'),
      operator: decidingOperator,
      /** The policy that governed the request when it was approved. */
      policy_id: typeId('pol'),
      policy_version: z.number().int().min(1),
      action_type: z.string().min(1).max(255),
      forever_for: z.enum(foreverFor),
      correlation_id: z.string().nullable(),
    }),
    policyChangeResult,
  ),
  /**
   * Lets a new agent act for another with some of its capabilities, for a time. The agent and its key are made afterwards.
   * Refused with DELEGATION_SCOPE or DELEGATION_LIMIT.
   */
  create_delegation: command(
    'policy-engine',
    'create_delegation',
    z.object({
      org_id: typeId('org'),
      actor,
      correlation_id: z.string().nullable(),
      delegation_id: typeId('del'),
      parent: agentRef,
      /** Of the parent; null when it acts for no other agent. */
      parent_delegation_id: typeId('del').nullable(),
      child: agentRef,
      capabilities: delegationCapabilities,
      ttl_seconds: delegationTtl,
    }),
    delegationView,
  ),
  /** Ends a delegation and all below it. Refused with NOT_FOUND for an agent that is not above it. */
  revoke_delegation: command(
    'policy-engine',
    'revoke_delegation',
    z.object({
      org_id: typeId('org'),
      actor,
      correlation_id: z.string().nullable(),
      delegation_id: typeId('del'),
      /** The calling agent; null for an administrator. */
      agent_id: typeId('agt').nullable(),
    }),
    revokedDelegation,
  ),
  /** Newest first. `agent_id` null: of the whole workspace. */
  list_delegations: query(
    'policy-engine',
    'list_delegations',
    z.object({
      org_id: typeId('org'),
      agent_id: typeId('agt').nullable(),
      /** The part of the agent; null: either. */
      role: z.enum(delegationRoles).nullable(),
      active_only: z.boolean(),
      cursor: z.string().nullable(),
      limit: z.number().int().min(1).max(200),
    }),
    z.object({ delegations: z.array(delegationView), next_cursor: z.string().nullable() }),
  ),
  /** Whether a delegation and all above it are live, by what the engine judges by at this moment. */
  delegation_standing: query(
    'policy-engine',
    'delegation_standing',
    z.object({ org_id: typeId('org'), delegation_id: typeId('del') }),
    z.object({ live: z.boolean() }),
  ),
  /** What `allow_forever` would do now; writes nothing. */
  plan_forever: query(
    'policy-engine',
    'plan_forever',
    z.object({
      org_id: typeId('org'),
      approval_id: typeId('apr'),
      policy_id: typeId('pol'),
      policy_version: z.number().int().min(1),
      action_type: z.string().min(1).max(255),
      forever_for: z.enum(foreverFor),
    }),
    foreverPlan,
  ),
  replay: replay('policy-engine'),
  ping: ping('policy-engine'),
};
