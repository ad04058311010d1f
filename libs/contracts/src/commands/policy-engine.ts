import { z } from 'zod';
import { policyContent, policyPatch, policyVersion, policyView } from '../policy/policy.js';
import { actor, typeId } from '../primitives.js';
import { agentRef, conditionEvaluated, denialReason, policyRef } from '../submission/items.js';
import { command } from './command.js';
import { ping, replay } from './every-service.js';

const change = { org_id: typeId('org'), actor, correlation_id: z.string().nullable() };
const one = { org_id: typeId('org'), policy_id: typeId('pol') };
/** The version an If-Match header named; null changes whatever stands. */
const expectedVersion = z.number().int().min(1).nullable();

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
    z.object({ ...change, policy_id: typeId('pol'), patch: policyPatch, expected_version: expectedVersion }),
    policyView,
  ),
  delete_policy: command(
    'policy-engine',
    'delete_policy',
    z.object({ ...change, policy_id: typeId('pol'), expected_version: expectedVersion }),
    z.object({ policy_id: typeId('pol'), version: z.number().int().min(1) }),
  ),
  get_policy: command('policy-engine', 'get_policy', z.object(one), policyView),
  list_policies: command(
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
  list_versions: command(
    'policy-engine',
    'list_versions',
    z.object({ ...one, cursor: z.string().nullable(), limit: z.number().int().min(1).max(200) }),
    z.object({ versions: z.array(policyVersion), next_cursor: z.string().nullable() }),
  ),
  /** A dry run: what a submission would be answered now; writes nothing. */
  check: command(
    'policy-engine',
    'check',
    z.object({
      org_id: typeId('org'),
      /** Null when an operator or a service asks. */
      agent: agentRef.extend({ suspended: z.boolean(), owner_member_id: z.string().nullable() }).nullable(),
      action_type: z.string().min(1).max(255),
      metadata: z.record(z.string(), z.unknown()),
      data_accessed: z.array(z.record(z.string(), z.unknown())),
    }),
    z.object({
      decision: z.enum(['executed', 'denied', 'requested']),
      denial_reason: denialReason.nullable(),
      policy: policyRef.nullable(),
      conditions_evaluated: z.array(conditionEvaluated),
    }),
  ),
  replay: replay('policy-engine'),
  ping: ping('policy-engine'),
};
