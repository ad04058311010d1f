import { policyView, type PolicyView, routes } from '@agentlattice/contracts';
import { exitCode, Failure } from '../exit-code.js';
import { confirm, type Ports } from '../ports.js';
import { anObject, readJsonArgument } from '../read-argument.js';
import { factsText } from '../render/facts-text.js';
import { safeJson, safeText, shortText } from '../render/safe-text.js';
import { statusStyle } from '../render/style.js';
import { clockText } from '../render/time-text.js';
import { findOne, firstOf, printDone, printList } from './lists.js';

interface Filter {
  readonly actionType?: string;
  readonly active?: true;
}

const read =
  ({ api }: Ports, { actionType, active }: Filter = {}) =>
  async (page: { limit: number; cursor: string | undefined }) => {
    const { policies, next_cursor } = await api.call(routes.listPolicies, {
      query: { action_type: actionType, active, ...page },
    });
    return { items: policies, next_cursor };
  };

async function findPolicy(argument: string, ports: Ports): Promise<PolicyView> {
  const found = await findOne({ what: 'policy', argument, read: read(ports), names: ({ name }) => [name] });
  const whole = policyView.safeParse(found);
  // An agent sees no conditions (decisions §3.5).
  if (!whole.success)
    throw new Failure(
      exitCode.usage,
      'An agent sees only names and effects of policies: use an operator’s key.',
    );
  return whole.data;
}

export async function listPolicies({ limit, ...filter }: Filter & { limit: number }, ports: Ports) {
  printList(ports, await firstOf(limit, read(ports, filter)), {
    name: 'policies',
    none: 'There is no such policy. What no policy names is denied.',
    columns: [
      { head: 'ID' },
      { head: 'NAME', shrinksTo: 8 },
      { head: 'ACTION', shrinksTo: 10 },
      { head: 'EFFECT', paint: statusStyle(ports.style) },
      { head: 'NEEDS', optional: true },
      { head: 'TIMEOUT', optional: true },
      { head: 'VERSION', optional: true },
      { head: 'STATUS', paint: statusStyle(ports.style) },
    ],
    row: (policy) => {
      const { id, name, action_type, effect, version, active } = policy;
      const asks = 'approvals_required' in policy && policy.approval_required;
      return [
        id,
        shortText(name, 60),
        shortText(action_type, 80),
        effect,
        asks ? String(policy.approvals_required) : '–',
        asks ? policy.timeout : '–',
        String(version),
        active ? 'active' : 'inactive',
      ];
    },
  });
}

export async function showPolicy(argument: string, ports: Ports): Promise<void> {
  const policy = await findPolicy(argument, ports);
  if (ports.json) return ports.terminal.print(safeJson(policy, 2));
  ports.terminal.print(policyText(policy, ports));
}

function policyText(policy: PolicyView, { style }: Ports): string {
  const groups = policy.approver_groups.map(({ group, count }) => `${String(count)} of ${safeText(group)}`);
  const facts = factsText(
    [
      ['Policy', policy.id],
      ['Name', safeText(policy.name)],
      ['Action', safeText(policy.action_type)],
      ['Effect', statusStyle(style)(policy.effect)],
      ['Status', statusStyle(style)(policy.active ? 'active' : 'inactive')],
      ['Version', `${String(policy.version)}, ${clockText(policy.updated_at)}`],
      ['Hash', policy.hash],
      ['If not met', policy.has_conditions ? policy.on_fail : ''],
      ['Deadline', policy.timeout],
      [
        'Quorum',
        `${String(policy.approvals_required)} approve${groups.length === 0 ? '' : ` (${groups.join(', ')})`}, ${String(policy.denials_required)} deny`,
      ],
      ['Separation', policy.separation_of_duties ? 'who is responsible for the agent may not decide' : ''],
      ['If removed', policy.on_removed],
    ],
    style,
  );
  const conditions = policy.conditions.map(
    ({ field, operator, value }) => `  ${safeText(field)} ${operator} ${shortText(safeJson(value), 200)}`,
  );
  if (policy.condition_expression !== null) conditions.push(`  ${safeText(policy.condition_expression)}`);
  const steps = policy.escalation.map(
    ({ after, contacts, channels }) =>
      `  after ${after}: ${[...contacts, ...channels].map(safeText).join(', ')}`,
  );
  return [
    facts,
    ...(conditions.length > 0 ? ['', 'Conditions, all of which must hold', ...conditions] : []),
    ...(steps.length > 0 ? ['', 'Escalation', ...steps] : []),
  ].join('\n');
}

export async function createPolicy(argument: string, ports: Ports): Promise<void> {
  const body = await readJsonArgument('the policy', argument, anObject, ports.stdin);
  const policy = await ports.api.call(routes.createPolicy, { body, repeatable: false });
  printDone(
    ports,
    policy,
    `${policy.id}: ${safeText(policy.name)} is created: ${policy.effect} for ${safeText(policy.action_type)}`,
  );
  for (const warning of policy.warnings ?? []) ports.terminal.say(`warning: ${safeText(warning)}`);
}

/** As it was when it was looked at: a change of somebody else in between is not overwritten. */
const unchanged = ({ version }: PolicyView) => ({ 'if-match': `"${String(version)}"` });

export async function deletePolicy(argument: string, yes: boolean, ports: Ports): Promise<void> {
  const policy = await findPolicy(argument, ports);
  const { id, name, on_removed } = policy;
  const open = { approve: 'are approved', deny: 'are denied', keep: 'go on waiting' }[on_removed];
  await confirm(ports, `Delete the policy ${safeText(name)}? Requests that wait because of it ${open}.`, yes);
  const gone = await ports.api.call(routes.deletePolicy, {
    params: { policy_id: id },
    headers: unchanged(policy),
    repeatable: false,
  });
  printDone(ports, gone, `${id}: ${safeText(name)} is deleted`);
}

export async function activatePolicy(argument: string, active: boolean, ports: Ports): Promise<void> {
  const before = await findPolicy(argument, ports);
  const policy = await ports.api.call(routes.updatePolicy, {
    params: { policy_id: before.id },
    headers: unchanged(before),
    body: JSON.stringify({ active }),
    repeatable: false,
  });
  const stands = policy.active ? 'is in force' : 'is out of force';
  printDone(
    ports,
    policy,
    `${policy.id}: ${safeText(policy.name)} ${stands}, version ${String(policy.version)}`,
  );
  for (const warning of policy.warnings ?? []) ports.terminal.say(`warning: ${safeText(warning)}`);
}
