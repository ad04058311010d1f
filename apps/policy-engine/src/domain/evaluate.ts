import { assertNever } from '@agentlattice/decider';
import type { ApprovalTerms, ConditionEvaluated, DenialReason, PolicyRef } from '@agentlattice/contracts';
import type { CompiledPolicy } from './compile-policy.js';
import { type Action, type Facts, factsOf } from './facts.js';
import { fuelLimit } from './fuel.js';
import type { PolicySet } from './select-policy.js';

/** The verdict of the policies on an action. `terms` are set exactly when a person must decide. */
export interface Judgement {
  readonly decision: 'executed' | 'denied' | 'requested';
  readonly denial_reason: DenialReason | null;
  readonly policy: PolicyRef | null;
  readonly conditions_evaluated: ConditionEvaluated[];
  readonly terms: ApprovalTerms | null;
}

/**
 * The verdict of a workspace's policies alone; in doubt an action is denied. Suspensions and delegations are judged in
 * `judge-action.ts`.
 * @param now epoch milliseconds of `time.*`
 */
export function evaluate(policies: PolicySet, action: Action, now: number): Judgement {
  const policy = policies.governing(action.action_type);
  if (policy === undefined) return denied('POLICY_NOT_FOUND', null);
  if (policy.tampered) return denied('POLICY_TAMPERED', policy.ref);
  const { effect } = policy.content;
  switch (effect) {
    case 'allow':
      return executed(policy, []);
    case 'deny':
      return denied('POLICY_DENIED', policy.ref);
    case 'require_approval':
      return requested(policy, []);
    case 'conditional':
      return judgeByConditions(policy, factsOf(action, now));
    default:
      return assertNever(effect);
  }
}

/** All conditions and the expression must hold. A policy with neither requires approval: an empty list proves nothing. */
function judgeByConditions(policy: CompiledPolicy, facts: Facts): Judgement {
  const { content, conditions, expression } = policy;
  const fuel = { left: fuelLimit };
  const rows = conditions.map((condition) => condition.evaluate(facts, fuel));
  if (expression !== null)
    rows.push({
      field: 'expression',
      operator: 'cel',
      expected: content.condition_expression,
      result: expression.holds(facts, fuel),
    });
  if (rows.length === 0) return requested(policy, rows);
  if (rows.every((row) => row.result)) return executed(policy, rows);
  return content.on_fail === 'deny' ? denied('CONDITIONS_DENIED', policy.ref, rows) : requested(policy, rows);
}

const executed = (policy: CompiledPolicy, rows: ConditionEvaluated[]): Judgement => ({
  decision: 'executed',
  denial_reason: null,
  policy: policy.ref,
  conditions_evaluated: rows,
  terms: null,
});

const requested = (policy: CompiledPolicy, rows: ConditionEvaluated[]): Judgement => ({
  decision: 'requested',
  denial_reason: null,
  policy: policy.ref,
  conditions_evaluated: rows,
  terms: policy.terms,
});

export const denied = (
  reason: DenialReason,
  policy: PolicyRef | null,
  rows: ConditionEvaluated[] = [],
): Judgement => ({
  decision: 'denied',
  denial_reason: reason,
  policy,
  conditions_evaluated: rows,
  terms: null,
});
