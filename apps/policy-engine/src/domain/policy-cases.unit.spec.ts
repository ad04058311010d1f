import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { policyInput } from '@agentlattice/contracts';
import { action, content, stored, wednesdayMorning } from '../../test/policy-fixture.js';
import { contentFaults } from './compile-policy.js';
import { judgeAction } from './judge-action.js';
import { evaluate, type Judgement } from './evaluate.js';
import { policySet } from './select-policy.js';

type Members = Record<string, unknown>;
interface PolicyCases {
  rule: string;
  policies: Members[];
  cases: {
    name: string;
    action: Parameters<typeof action>[0];
    want: Partial<Omit<Judgement, 'policy'>> & { policy: string | null; results?: boolean[] };
  }[];
}
interface OperatorCases {
  rule: string;
  metadata: unknown;
  data_accessed: unknown;
  rows: [string, string, unknown, boolean][];
}
interface ExpressionCases extends Omit<OperatorCases, 'rows'> {
  expressions: [string, boolean][];
}
interface FaultCases {
  rule: string;
  cases: { name: string; policy: Members; pointers: string[] }[];
}

const folder = join(import.meta.dirname, '../../test/cases');
const read = <T>(file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T;
const special = ['operators.json', 'expressions.json', 'faults.json', 'types.json'];

for (const file of readdirSync(folder).filter((name) => !special.includes(name))) {
  const { rule, policies, cases } = read<PolicyCases>(file);
  describe(`${file}: ${rule}`, () => {
    const set = policySet(policies.map((policy, age) => stored(policy, { age })));
    it.each(cases)('$name', ({ action: given, want }) => {
      const { policy, results, ...rest } = want;
      const judgement = judgeAction(action(given), {
        policies: set,
        delegations: new Map(),
        orgId: 'org',
        now: wednesdayMorning,
        time: wednesdayMorning,
      });
      expect(judgement).toMatchObject({ denial_reason: null, ...rest });
      expect(judgement.policy?.name ?? null).toBe(policy);
      if (results) expect(judgement.conditions_evaluated.map((row) => row.result)).toEqual(results);
      expect(judgement.terms !== null).toBe(judgement.decision === 'requested');
    });
  });
}

describe('operators.json', () => {
  const { rows, ...given } = read<OperatorCases>('operators.json');
  it.each(rows)('%s %s %j is %s', (field, operator, value, holds) => {
    const policy = {
      effect: 'conditional',
      action_type: 'op',
      on_fail: 'deny',
      conditions: [{ field, operator, value }],
    };
    expect(contentFaults(content(policy))).toEqual([]);
    const judgement = evaluate(
      policySet([stored(policy)]),
      action({ action_type: 'op', ...given }),
      wednesdayMorning,
    );
    expect(judgement.conditions_evaluated).toEqual([{ field, operator, expected: value, result: holds }]);
    expect(judgement.decision).toBe(holds ? 'executed' : 'denied');
  });
});

describe('expressions.json', () => {
  const { expressions, ...given } = read<ExpressionCases>('expressions.json');
  it.each(expressions)('%s is %s', (source, holds) => {
    const policy = {
      effect: 'conditional',
      action_type: 'exp',
      on_fail: 'deny',
      condition_expression: source,
    };
    expect(contentFaults(content(policy))).toEqual([]);
    const judgement = evaluate(
      policySet([stored(policy)]),
      action({ action_type: 'exp', ...given }),
      wednesdayMorning,
    );
    expect(judgement.conditions_evaluated).toEqual([
      { field: 'expression', operator: 'cel', expected: source, result: holds },
    ]);
    expect(judgement.decision).toBe(holds ? 'executed' : 'denied');
  });
});

describe('faults.json', () => {
  it.each(read<FaultCases>('faults.json').cases)('$name', ({ policy, pointers }) => {
    const parsed = policyInput.safeParse(policy);
    const faults = parsed.success
      ? contentFaults(parsed.data).map((fault) => fault.pointer)
      : parsed.error.issues.map((issue) => `/${issue.path.join('/')}`);
    expect(faults).toEqual(pointers);
  });
});
