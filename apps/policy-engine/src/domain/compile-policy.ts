import {
  type ApprovalTerms,
  durationMs,
  type Fault,
  type PolicyContent,
  policyFaults,
  type PolicyRef,
} from '@agentlattice/contracts';
import { type CompiledCondition, compileCondition } from './condition.js';
import { type CompiledExpression, compileExpression } from './expression.js';

/** A policy ready to judge by. */
export interface CompiledPolicy {
  readonly ref: PolicyRef;
  readonly content: PolicyContent;
  /** RFC 3339 in UTC; the older of two equal policies governs. */
  readonly createdAt: string;
  /** True when its content does not match its hash or the log: no action it governs is allowed. */
  readonly tampered: boolean;
  readonly conditions: readonly CompiledCondition[];
  /** Null when the policy has none. */
  readonly expression: CompiledExpression | null;
  readonly terms: ApprovalTerms;
}

export interface PolicyRecord {
  readonly ref: PolicyRef;
  readonly content: PolicyContent;
  readonly createdAt: string;
  readonly tampered: boolean;
  /** The member who wrote this version; null when no person did. */
  readonly author: string | null | undefined;
  /** Every member who may have written it, holders of the key included. */
  readonly authors: readonly string[];
}

const neverHolds: CompiledExpression = { holds: () => false };

/** Compiles a stored policy. A condition that does not compile, or no longer does, fails at every evaluation. */
export function compilePolicy(record: PolicyRecord): CompiledPolicy {
  const { content } = record;
  const source = content.condition_expression;
  const expression = source === null ? null : compileExpression(source);
  return {
    ...record,
    conditions: content.conditions.map((condition) => compileCondition(condition).compiled),
    expression: typeof expression === 'string' ? neverHolds : expression,
    terms: termsOf(record),
  };
}

/** The largest policy, in characters of JSON: it is part of events, verdicts and lists. */
const maxSize = 64 * 1024;

/** All faults of a policy with their JSON pointers; empty when it may be written. */
export function contentFaults(content: PolicyContent): Fault[] {
  const faults: Fault[] = [...unwritableText(content), ...policyFaults(content)];
  if (JSON.stringify(content).length > maxSize)
    faults.push({ pointer: '', detail: `a policy has at most ${String(maxSize)} characters` });
  content.conditions.forEach((condition, i) => {
    for (const { pointer, detail } of compileCondition(condition).faults)
      faults.push({ pointer: `/conditions/${String(i)}${pointer}`, detail });
  });
  const source = content.condition_expression;
  const expression = source === null ? null : compileExpression(source);
  if (typeof expression === 'string')
    faults.push({ pointer: '/condition_expression', detail: `not a CEL expression: ${expression}` });
  return faults;
}

/** Text that PostgreSQL or RFC 8785 cannot hold. */
function unwritableText(value: unknown, pointer = ''): Fault[] {
  if (typeof value === 'string')
    return value.isWellFormed() && !value.includes('\0')
      ? []
      : [{ pointer, detail: 'holds a character that is no text' }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => unwritableText(member, `${pointer}/${name}`));
}

function termsOf({ content, author, authors }: PolicyRecord): ApprovalTerms {
  return {
    // An unreadable timeout cannot have been written by the engine; the shortest one is safe.
    timeout_ms: durationMs(content.timeout) ?? 1,
    approvals_required: content.approvals_required,
    denials_required: content.denials_required,
    approver_groups: content.approver_groups,
    separation_of_duties: content.separation_of_duties,
    escalation: content.escalation,
    on_removed: content.on_removed,
    on_no_approver: content.on_no_approver,
    ...(content.notice === undefined ? {} : { notice: content.notice }),
    policy_author: author,
    policy_authors: [...authors],
  };
}
