import { z } from 'zod';
import {
  actionPattern,
  actor,
  duration,
  durationMs,
  givenEmail,
  givenGroup,
  givenName,
  givenNotice,
  instant,
  rulesBeyondSchema,
  sha256Hex,
  typeId,
} from '../primitives.js';

export const policyEffects = ['allow', 'deny', 'require_approval', 'conditional'] as const;
export type PolicyEffect = (typeof policyEffects)[number];

export const conditionOperators = [
  'eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'in', 'not_in', 'contains', 'not_contains',
  'starts_with', 'ends_with', 'matches', 'exists',
] as const; // prettier-ignore
export type ConditionOperator = (typeof conditionOperators)[number];

const scalar = z.union([z.string().max(4096), z.number(), z.boolean(), z.null()]);

export const condition = z.strictObject({
  field: z
    .string()
    .min(1)
    .max(255)
    .meta({ description: 'Path into metadata, data_accessed.…, agent.… or time.…' }),
  operator: z.enum(conditionOperators),
  value: z.union([scalar, z.array(scalar).max(1000)]).meta({ description: 'Compared without coercion' }),
});
export type Condition = z.infer<typeof condition>;

const escalationStepFor = (contact: z.ZodType<string>) =>
  z.strictObject({
    after: duration(),
    contacts: z.array(contact).max(20).default([]),
    channels: z.array(typeId('chn')).max(20).default([]),
    repeat: z
      .strictObject({ every: duration(), times: z.number().int().min(1).max(100) })
      .nullable()
      .default(null),
  });
export const escalationStep = escalationStepFor(z.email().max(254));
export type EscalationStep = z.infer<typeof escalationStep>;

const approverGroups = (group: z.ZodType<string>) =>
  z.array(z.strictObject({ group, count: z.number().int().min(1).max(50) })).max(20);

const members = {
  name: z.string().trim().min(1).max(120),
  action_type: actionPattern(),
  effect: z.enum(policyEffects),
  conditions: z.array(condition).max(50),
  condition_expression: z.string().min(1).max(4096).nullable().meta({ description: 'CEL; must hold too' }),
  on_fail: z.enum(['require_approval', 'deny']),
  timeout: duration(),
  escalation: z.array(escalationStep).max(10),
  approvals_required: z.number().int().min(1).max(50),
  denials_required: z.number().int().min(1).max(50),
  approver_groups: approverGroups(z.string().min(1).max(120)),
  separation_of_duties: z.boolean(),
  on_removed: z.enum(['approve', 'deny', 'keep']),
  on_no_approver: z.enum(['escalate', 'deny']),
  mode: z.enum(['enforce', 'shadow']),
  active: z.boolean(),
  notice: z.string().max(80).nullable().optional().meta({
    description: 'A warning that people read beside every request of the policy; null or missing: none',
  }),
};

/** For new names; existing ones may have another form. */
const written = {
  ...members,
  name: givenName(),
  approver_groups: approverGroups(givenGroup()),
  escalation: z.array(escalationStepFor(givenEmail())).max(10),
  notice: givenNotice().nullable().optional(),
};

/**
 * Shadow policies are not evaluated yet, so new ones are refused: they would look as if they were being tested. Policies that
 * earlier releases wrote in shadow mode govern nothing, and are kept, read and replayed as they are.
 */
const enforceOnly = z.enum(['enforce'], {
  error:
    'shadow policies are not evaluated yet; write mode enforce, or active false for a policy that governs nothing',
});

/** The content of a policy: hashed, versioned and used for judging. */
export const policyContent = z.strictObject(members);
export type PolicyContent = z.infer<typeof policyContent>;

type Draft = Partial<PolicyContent>;

/** Faults that span members (decisions §4.1, contract §8), each with its JSON pointer. */
export function policyFaults(policy: Draft): { pointer: string; detail: string }[] {
  const faults: { pointer: string; detail: string }[] = [];
  if (policy.effect !== undefined && policy.effect !== 'conditional') {
    if (policy.conditions?.length)
      faults.push({ pointer: '/conditions', detail: 'only a conditional policy has conditions' });
    if (policy.condition_expression)
      faults.push({ pointer: '/condition_expression', detail: 'only a conditional policy has conditions' });
    if (policy.on_fail !== undefined && policy.on_fail !== 'require_approval')
      faults.push({ pointer: '/on_fail', detail: 'only a conditional policy can fail' });
  }
  policy.approver_groups?.forEach(({ group }, i, groups) => {
    if (groups.findIndex((other) => other.group === group) !== i)
      faults.push({ pointer: `/approver_groups/${i}/group`, detail: 'stands twice' });
  });
  const timeout = durationMs(policy.timeout ?? '30m');
  policy.escalation?.forEach((step, i) => {
    const after = durationMs(step.after);
    if (after !== null && timeout !== null && after >= timeout)
      faults.push({ pointer: `/escalation/${i}/after`, detail: 'must be shorter than the timeout' });
  });
  return faults;
}

const withFaults = <T extends z.ZodType<Draft>>(schema: T) =>
  schema.superRefine((value, context) => {
    for (const { pointer, detail } of policyFaults(value))
      context.addIssue({ code: 'custom', message: detail, path: pointerPath(pointer) });
  });

const pointerPath = (pointer: string) =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

/**
 * Faults that span members of a policy, or concern another language than JSON: an expression, a pattern, the path of a field.
 */
const policyRules = [
  'only a conditional policy has conditions',
  'only a conditional policy can fail',
  'stands twice',
  'must be shorter than the timeout',
  'there is no such channel in this workspace',
  'holds a character that is no text',
  'a policy has at most … characters',
  'not a CEL expression: …',
  // Of conditions.
  'a path …',
  '… needs a name after it, such as …',
  '… has only …',
  'compares with one value; use … for several',
  'is a string',
  'is a number or a string',
  'is a list of at least one value',
  'is one value',
  'is true or false',
  'a pattern has at most … characters',
  'the pattern is too large when its repetitions are written out',
  'not an RE2 pattern: …',
  '… is a …, so the value must be one',
  '… is a number; … is for text',
];

/** The input to create a policy; an unknown member is a fault (a misspelt quorum must never become a quorum of one). */
export const policyInput = withFaults(
  z.strictObject({
    ...written,
    conditions: written.conditions.default([]),
    condition_expression: written.condition_expression.default(null),
    on_fail: written.on_fail.default('require_approval'),
    timeout: written.timeout.default('30m'),
    escalation: written.escalation.default([]),
    approvals_required: written.approvals_required.default(1),
    denials_required: written.denials_required.default(1),
    approver_groups: written.approver_groups.default([]),
    separation_of_duties: written.separation_of_duties.default(false),
    on_removed: written.on_removed.default('approve'),
    on_no_approver: written.on_no_approver.default('escalate'),
    mode: enforceOnly.default('enforce'),
    active: written.active.default(true),
  }),
).meta({ id: 'PolicyInput', ...rulesBeyondSchema(...policyRules) });
export type PolicyInput = z.infer<typeof policyInput>;

const namesMember = (patch: object) => Object.keys(patch).length > 0;
const noMember = 'names at least one member to change';

/** The members to change; others keep their values. Faults that span members are judged again on the merged policy. */
export const policyPatch = z
  .strictObject({ ...written, mode: enforceOnly })
  .partial()
  .refine(namesMember, noMember)
  .meta({ id: 'PolicyPatch', minProperties: 1, ...rulesBeyondSchema(...policyRules) });

/** The same between services, where policies of earlier releases may still be in shadow mode. */
export const policyChange = z.strictObject(written).partial().refine(namesMember, noMember);
export type PolicyPatch = z.infer<typeof policyChange>;

/** A policy as the API shows it; `approval_required` and `has_conditions` are what the published client reads (decisions §6). */
export const policyView = z
  .object({
    id: typeId('pol'),
    ...members,
    version: z.number().int().min(1),
    hash: sha256Hex(),
    approval_required: z.boolean(),
    has_conditions: z.boolean(),
    created_at: instant(),
    updated_at: instant(),
    warnings: z.array(z.string()).optional(),
  })
  .meta({ id: 'Policy' });
export type PolicyView = z.infer<typeof policyView>;

/** The same without the conditions: what an agent may see of its workspace (decisions §3.5). */
export const policySummary = policyView
  .pick({
    id: true,
    name: true,
    action_type: true,
    effect: true,
    approval_required: true,
    has_conditions: true,
    version: true,
    active: true,
    created_at: true,
  })
  .meta({ id: 'PolicySummary' });
export type PolicySummary = z.infer<typeof policySummary>;

export const policyVersion = z
  .object({
    version: z.number().int().min(1),
    hash: sha256Hex(),
    change: z.enum(['created', 'updated', 'activated', 'deactivated', 'deleted']),
    content: policyContent,
    actor: actor.nullable(),
    at: instant(),
  })
  .meta({ id: 'PolicyVersion' });
export type PolicyVersion = z.infer<typeof policyVersion>;
