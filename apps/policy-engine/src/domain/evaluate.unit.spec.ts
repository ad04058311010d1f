import { conditionOperators, type Condition, type PolicyContent } from '@agentlattice/contracts';
import fc from 'fast-check';
import { action, content, stored, wednesdayMorning } from '../../test/policy-fixture.js';
import { compilePolicy, contentFaults } from './compile-policy.js';
import { evaluate } from './evaluate.js';
import { policySet } from './select-policy.js';

const one = (
  members: Record<string, unknown>,
  given: Omit<Parameters<typeof action>[0], 'action_type'> = {},
) =>
  evaluate(
    policySet([stored({ action_type: 'a', effect: 'conditional', on_fail: 'deny', ...members })]),
    action({ action_type: 'a', ...given }),
    wednesdayMorning,
  );

describe('a verdict', () => {
  it('names the policy and the terms that a person decides under', () => {
    const policy = stored({
      action_type: 'a',
      timeout: '90s',
      approvals_required: 2,
      approver_groups: [{ group: 'sre', count: 1 }],
      on_removed: 'keep',
      on_no_approver: 'deny',
    });
    expect(evaluate(policySet([policy]), action({ action_type: 'a' }), wednesdayMorning)).toEqual({
      decision: 'requested',
      denial_reason: null,
      policy: policy.ref,
      conditions_evaluated: [],
      terms: {
        timeout_ms: 90_000,
        approvals_required: 2,
        denials_required: 1,
        approver_groups: [{ group: 'sre', count: 1 }],
        separation_of_duties: false,
        escalation: [],
        on_removed: 'keep',
        on_no_approver: 'deny',
        policy_author: null,
        policy_authors: [],
      },
    });
  });

  it('is a denial for every action that a tampered policy governs, whatever its content', () => {
    const tampered = (members: Record<string, unknown>) => stored(members, { tampered: true, age: 1 });
    for (const members of [{ effect: 'allow' }, { active: false }, { mode: 'shadow' }] as const) {
      const judgement = evaluate(
        policySet([stored({ action_type: 'a', effect: 'deny' }), tampered({ action_type: 'a', ...members })]),
        action({ action_type: 'a' }),
        wednesdayMorning,
      );
      expect(judgement).toMatchObject({ decision: 'denied', denial_reason: 'POLICY_TAMPERED' });
    }
  });

  it('never rests on a stored condition that no longer compiles', () => {
    for (const broken of [
      { conditions: [{ field: 'a', operator: 'matches', value: '(' }] },
      { conditions: [{ field: 'time.era', operator: 'exists', value: true }] },
      { condition_expression: 'nobody_knows(this)' },
    ])
      expect(one(broken, { metadata: { a: '(' } })).toMatchObject({
        decision: 'denied',
        denial_reason: 'CONDITIONS_DENIED',
        conditions_evaluated: [{ result: false }],
      });
  });

  it('fails when metadata is not JSON', () => {
    const policy = stored({
      action_type: 'a',
      effect: 'conditional',
      conditions: [{ field: 'a', operator: 'eq', value: 1 }],
      condition_expression: 'size(metadata) >= 0',
    });
    const judgement = evaluate(
      policySet([policy]),
      { ...action({ action_type: 'a' }), metadata: '{' },
      wednesdayMorning,
    );
    expect(judgement.conditions_evaluated.map((row) => row.result)).toEqual([false, false]);
    expect(judgement.decision).toBe('requested');
  });
});

describe('evaluation is bounded', () => {
  const long = { text: `${'a'.repeat(200_000)}!`, numbers: Array.from({ length: 15_000 }, (_, i) => i) };
  it.each([
    ['a pattern that makes backtracking engines hang', 'metadata.text.matches("^(a+)+$")'],
    ['the same, hidden from a check of the text', 'metadata.text.matches("^(a+" + ")+$")'],
    [
      'loops in loops',
      'metadata.numbers.all(x, metadata.numbers.all(y, metadata.numbers.all(z, x + y + z >= 0)))',
    ],
    ['a loop over text', 'metadata.numbers.all(x, metadata.text.matches("a!$"))'],
    ['lists of lists', 'metadata.numbers.map(x, metadata.numbers.map(y, [x, y])).size() > 0'],
  ])('%s', (_what, condition_expression) => {
    expect(one({ condition_expression }, { metadata: long }).decision).toBe('denied');
  });
  it('text that is too long for a large pattern fails, and so does its negation', () => {
    const pattern = '(a|b|c|d|e|f){0,50}x';
    expect(
      one({ condition_expression: `!metadata.text.matches("${pattern}")` }, { metadata: long }).decision,
    ).toBe('denied');
    const conditions = Array.from({ length: 50 }, () => ({
      field: 'text',
      operator: 'matches',
      value: pattern,
    }));
    expect(one({ conditions }, { metadata: long }).decision).toBe('denied');
  });
  it.each([
    [
      'a text looked for in a text of its own kind',
      'metadata.half.contains(metadata.third + "b" + metadata.third)',
    ],
    ['the same from behind', 'metadata.half.lastIndexOf(metadata.third + "b") < 0'],
    ['other time zones', 'metadata.numbers.all(x, timestamp(time.iso).getHours("America/New_York") >= 0)'],
    [
      'a text put together again and again',
      '["aaaaaaaa"].map(x, x + x).map(x, metadata.numbers.map(y, x).join(metadata.third)).size() > 0',
    ],
    ['errors', 'metadata.numbers.exists(x, metadata.missing == x) || true'],
    ['long lists compared', 'metadata.numbers.all(x, metadata.numbers == metadata.numbers)'],
    [
      'running out, with another way to pass',
      'metadata.numbers.all(x, metadata.numbers.all(y, x + y < 0 || true)) || true',
    ],
  ])('%s', (_what, condition_expression) => {
    const metadata = {
      numbers: long.numbers.slice(0, 5_000),
      half: 'a'.repeat(100_000),
      third: 'a'.repeat(50_000),
    };
    expect(one({ condition_expression }, { metadata }).decision).toBe('denied');
  });
  it('by one budget for all conditions of a policy and its expression', () => {
    const metadata = { list: Array.from({ length: 8_000 }, (_, i) => i), n: 1 };
    const condition = { field: 'list', operator: 'not_contains', value: -1 };
    const expression = 'metadata.list.all(x, x >= 0)';
    const few = Array.from({ length: 5 }, () => condition);
    const many = Array.from({ length: 50 }, () => condition);
    const light = { field: 'n', operator: 'eq', value: 1 };
    const absent = { field: 'absent', operator: 'exists', value: false };
    expect(one({ conditions: [...few, light] }, { metadata }).decision).toBe('executed');
    expect(
      one({ condition_expression: expression }, { metadata: { list: metadata.list.slice(0, 4_000) } })
        .decision,
    ).toBe('executed');
    const results = one(
      { conditions: [...many.slice(2), light, absent], condition_expression: 'true' },
      { metadata },
    );
    expect(results.conditions_evaluated.at(0)?.result).toBe(true);
    expect(results.conditions_evaluated.slice(-3).map((row) => row.result)).toEqual([false, false, false]);
    expect(results.decision).toBe('denied');
  });
  it('a list on a path costs fuel', () => {
    const metadata = { files: Array.from({ length: 10_000 }, () => ({ path: 'a' })) };
    const conditions = Array.from({ length: 50 }, () => ({
      field: 'files.path',
      operator: 'exists',
      value: true,
    }));
    expect(one({ conditions: conditions.slice(0, 3) }, { metadata }).decision).toBe('executed');
    expect(one({ conditions }, { metadata }).decision).toBe('denied');
  });
  it('a pattern is refused before its repetitions are expanded', () => {
    const huge = '(x{0,1000}|y{0,1000}|z{0,1000})'.repeat(30);
    expect(
      one({ conditions: [{ field: 'text', operator: 'matches', value: huge }] }, { metadata: long }).decision,
    ).toBe('denied');
    expect(
      contentFaults(
        content({ effect: 'conditional', condition_expression: `metadata.s.matches("${huge}")` }),
      ),
    ).toMatchObject([
      { pointer: '/condition_expression', detail: expect.stringContaining('too large') as string },
    ]);
    expect(
      contentFaults(
        content({ effect: 'conditional', condition_expression: 'metadata.s.matches(metadata.p)' }),
      ),
    ).toMatchObject([
      { pointer: '/condition_expression', detail: expect.stringContaining('written out') as string },
    ]);
  });
  it('too many values fail an expression', () => {
    const metadata = { numbers: Array.from({ length: 30_000 }, (_, i) => i) };
    expect(one({ condition_expression: 'size(metadata.numbers) > 0' }, { metadata }).decision).toBe('denied');
  });
  it('an evaluation that was stopped does not affect the next one', () => {
    const set = policySet([
      stored({
        action_type: 'a',
        effect: 'conditional',
        condition_expression: 'metadata.n.all(x, metadata.n.all(y, metadata.n.all(z, x + y + z >= 0)))',
      }),
    ]);
    const judged = (size: number) => {
      const metadata = { n: Array.from({ length: size }, (_, i) => i) };
      return evaluate(set, action({ action_type: 'a', metadata }), wednesdayMorning).decision;
    };
    expect([judged(2), judged(15_000), judged(2), judged(3)]).toEqual([
      'executed',
      'requested',
      'executed',
      'executed',
    ]);
  });
});

const anyCondition = fc.record<Condition>({
  field: fc.oneof(
    fc.constantFrom(
      'a',
      'a.b',
      'metadata.a',
      '__proto__',
      'a.length',
      'data_accessed.a',
      'agent.id',
      'time.hour',
    ),
    fc.string({ minLength: 1 }),
  ),
  operator: fc.constantFrom(...conditionOperators),
  value: fc.oneof(
    fc.string(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.oneof(fc.string(), fc.integer(), fc.boolean())),
  ),
});

describe('for any policy and any action', () => {
  it('an action is executed only when every row holds, and nothing throws', () => {
    fc.assert(
      fc.property(
        fc.array(anyCondition, { maxLength: 4 }),
        fc.option(fc.oneof(fc.string(), fc.constantFrom('metadata.a == 1', 'has(metadata.a)')), { freq: 2 }),
        fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'x'), fc.jsonValue()),
        fc.array(fc.dictionary(fc.constantFrom('a', 'b'), fc.jsonValue())),
        (conditions, expression, metadata, data_accessed) => {
          const policy: PolicyContent = {
            ...content({ action_type: 'a', effect: 'conditional' }),
            conditions,
            condition_expression: expression,
          };
          const ref = { ...stored({}).ref };
          const set = policySet([
            compilePolicy({
              ref,
              content: policy,
              createdAt: '2026-01-01T00:00:00.000Z',
              tampered: false,
              author: null,
              authors: [],
            }),
          ]);
          const judgement = evaluate(
            set,
            action({ action_type: 'a', metadata, data_accessed }),
            wednesdayMorning,
          );
          const rows = judgement.conditions_evaluated;
          expect(rows).toHaveLength(conditions.length + (expression === null ? 0 : 1));
          expect(judgement.decision === 'executed').toBe(rows.length > 0 && rows.every((row) => row.result));
        },
      ),
    );
  });
});

describe('selection', () => {
  const names = ['a', 'b', 'a.b', 'a.b.c', 'b.a'];
  const pattern = fc.constantFrom('*', ...names, ...names.map((name) => `${name}.*`));
  const member = fc.record({
    action_type: pattern,
    effect: fc.constantFrom('allow', 'deny', 'require_approval', 'conditional'),
    active: fc.boolean(),
    mode: fc.constantFrom('enforce' as const, 'enforce' as const, 'shadow' as const),
  });
  const strictness = ['deny', 'require_approval', 'conditional', 'allow'];

  it('gives the result of comparing all policies one by one, in any order of loading', () => {
    fc.assert(
      fc.property(
        fc.array(member, { maxLength: 12 }),
        fc.constantFrom(...names, 'a.b.c.d', 'z'),
        (all, type) => {
          const policies = all.map((members, age) => stored(members, { age }));
          const rank = (p: string) => (p === type ? 1_000 : p === '*' ? 0 : p.length);
          const matches = (p: string) =>
            p === type || p === '*' || (p.endsWith('.*') && type.startsWith(p.slice(0, -1)));
          const [first] = policies
            .filter(({ content: c }) => c.active && c.mode === 'enforce' && matches(c.action_type))
            .sort(
              (a, b) =>
                rank(b.content.action_type) - rank(a.content.action_type) ||
                strictness.indexOf(a.content.effect) - strictness.indexOf(b.content.effect) ||
                a.createdAt.localeCompare(b.createdAt),
            );
          expect(policySet(policies).governing(type)).toBe(first);
          expect(policySet([...policies].reverse()).governing(type)).toBe(first);
        },
      ),
    );
  });
});

it('a verdict needs no clock: the steps of an evaluation end it, not its time', () => {
  const policy = stored({
    effect: 'conditional',
    on_fail: 'deny',
    condition_expression: 'metadata.list.all(a, metadata.list.all(b, a == b))',
  });
  const submitted = action({ action_type: 'deploy.production', metadata: { list: Array(500).fill(1) } });
  const clocks = [Date.now, performance.now.bind(performance)] as const;
  const noClock = (): never => {
    throw new Error('a clock was read');
  };
  Date.now = noClock;
  performance.now = noClock;
  try {
    expect(evaluate(policySet([policy]), submitted, wednesdayMorning)).toMatchObject({
      decision: 'denied',
      denial_reason: 'CONDITIONS_DENIED',
    });
  } finally {
    [Date.now, performance.now] = clocks;
  }
});
