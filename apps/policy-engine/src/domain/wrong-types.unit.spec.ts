import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { conditionOperators, condition as conditionSchema } from '@agentlattice/contracts';
import fc from 'fast-check';
import { action, content, stored, wednesdayMorning } from '../../test/policy-fixture.js';
import { contentFaults } from './compile-policy.js';
import { evaluate } from './evaluate.js';
import { kindOf } from './kind.js';
import { policySet } from './select-policy.js';

interface TypeCases {
  samples: Record<string, unknown>;
  operators: [string, unknown, string[] | null][];
  expressions: [string, string[]][];
}

const { samples, operators, expressions } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../test/cases/types.json'), 'utf8'),
) as TypeCases;

/** Every sample as `metadata.v`, and a request without one. */
const requests: [string, Record<string, unknown>][] = [
  ...Object.entries(samples).map(([name, v]): [string, Record<string, unknown>] => [name, { v }]),
  ['missing', {}],
];

/** Whether requests are executed under a policy with these members. */
function judge(members: Record<string, unknown>) {
  const set = policySet([stored({ action_type: 'a', effect: 'conditional', on_fail: 'deny', ...members })]);
  return (metadata: unknown, data_accessed: unknown = []): boolean =>
    evaluate(set, action({ action_type: 'a', metadata, data_accessed }), wednesdayMorning).decision ===
    'executed';
}

function passing(members: Record<string, unknown>): string[] {
  const passes = judge(members);
  return requests.filter(([, metadata]) => passes(metadata)).map(([name]) => name);
}

const inOrder = (names: string[]) => requests.map(([name]) => name).filter((name) => names.includes(name));

describe('the table of operators and types', () => {
  it('has a row for every operator and type of value, and a sample of every type of JSON', () => {
    const named = ['string', 'number', 'boolean', 'null', 'list'];
    const wanted = conditionOperators.flatMap((operator) => named.map((kind) => `${operator} ${kind}`));
    const rows = new Set(operators.map(([operator, value]) => `${operator} ${String(kindOf(value))}`));
    expect([...rows].sort()).toEqual(wanted.sort());
    expect(new Set(Object.values(samples).map(kindOf))).toEqual(new Set([...named, 'map']));
    for (const [, , holds] of operators) expect(inOrder(holds ?? [])).toHaveLength(holds?.length ?? 0);
    for (const [, holds] of expressions) expect(inOrder(holds)).toHaveLength(holds.length);
  });

  it('has objects as values of no operator', () => {
    expect(conditionSchema.safeParse({ field: 'v', operator: 'eq', value: {} }).success).toBe(false);
  });

  it.each(operators)('%s %j', (operator, value, holds) => {
    const conditions = [{ field: 'v', operator, value }];
    const faults = contentFaults(content({ effect: 'conditional', conditions }));
    expect(faults.map(({ pointer }) => pointer)).toEqual(holds === null ? ['/conditions/0/value'] : []);
    expect(passing({ conditions })).toEqual(inOrder(holds ?? []));
  });

  it.each(expressions)('%s', (condition_expression, holds) => {
    expect(contentFaults(content({ effect: 'conditional', condition_expression }))).toEqual([]);
    expect(passing({ condition_expression })).toEqual(inOrder(holds));
  });
});

describe('a value in another shape', () => {
  const one = (field: string, operator: string, value: unknown) =>
    judge({ conditions: [{ field, operator, value }] });
  it('does not pass a condition on the value itself', () => {
    const noPii = one('data_accessed.kind', 'not_contains', 'pii');
    expect(noPii({}, [{ kind: ['pii'] }])).toBe(false);
    expect(noPii({}, [{ kind: 'log' }])).toBe(true);
    expect(one('kind', 'not_contains', 'pii')({ kind: [['pii']] })).toBe(false);
  });
  it('is not missing when the value around it has another shape', () => {
    const noName = one('env.name', 'exists', false);
    expect(noName({ env: {} })).toBe(true);
    expect(noName({})).toBe(true);
    for (const env of ['prod', 1, true, null, ['prod'], [['prod']]]) expect(noName({ env })).toBe(false);
  });
  it('is not missing from a list because some of its elements lack it', () => {
    const noSecret = one('data_accessed.secret', 'exists', false);
    expect(noSecret({}, [{ kind: 'log' }, {}])).toBe(true);
    expect(noSecret({}, [{ kind: 'log' }, { secret: 'x' }])).toBe(false);
    expect(noSecret({}, [{ kind: 'log' }, 'secret'])).toBe(false);
  });
  it('fails, and is not missing, when metadata is not JSON', () => {
    const policy = stored({
      action_type: 'a',
      effect: 'conditional',
      conditions: [{ field: 'v', operator: 'exists', value: false }],
    });
    const asked = { ...action({ action_type: 'a' }), metadata: '{' };
    expect(evaluate(policySet([policy]), asked, wednesdayMorning).decision).toBe('requested');
  });
});

/** Right-typed values of each field; `list` holds strings. */
const right = { s: ['a', 'b', ''], n: [0, 1, 5], b: [true, false], l: [[], ['a'], ['b', 'a']] };
type Field = keyof typeof right;
const wrong: Record<Field, unknown[]> = {
  s: [1, true, null, [], ['a'], { a: 'a' }],
  n: ['1', true, null, [1], { a: 1 }],
  b: ['true', 1, null, [true], {}],
  l: ['a', 1, false, null, [1], [['a']], { a: 'a' }],
};

const text = fc.constantFrom('metadata.s', '"a"', '"b"', '(metadata.b ? metadata.s : "a")');
const number = fc.constantFrom('metadata.n', '1', '5', '(metadata.n + 1)', '1.0');
const leaf = fc.oneof(
  fc.tuple(text, fc.constantFrom('==', '!=', '<', '>='), text).map((parts) => parts.join(' ')),
  fc.tuple(number, fc.constantFrom('==', '!=', '<', '>='), number).map((parts) => parts.join(' ')),
  fc
    .tuple(text, fc.constantFrom('contains', 'startsWith', 'endsWith'), text)
    .map(([a, f, b]) => `${a}.${f}(${b})`),
  fc.tuple(text, fc.constantFrom('metadata.l', '["a"]', '[metadata.s]')).map(([a, l]) => `${a} in ${l}`),
  fc
    .tuple(fc.constantFrom('all', 'exists', 'exists_one'), fc.constantFrom('==', '!='), text)
    .map(([loop, op, a]) => `metadata.l.${loop}(x, x ${op} ${a})`),
  fc.constantFrom(
    'metadata.b',
    'metadata.b != true',
    'metadata.l != ["a"]',
    'metadata.l == ["a"]',
    'true',
    'false',
  ),
  fc.constantFrom('metadata.l[0] != "a"', 'metadata.s.matches("^a")', 'metadata.l.map(x, x + "!") != ["a!"]'),
);
const expression = fc.letrec<{ e: string }>((tie) => ({
  e: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf.map((source) => `(${source})`),
    tie('e').map((a) => `!${a}`),
    fc.tuple(tie('e'), fc.constantFrom('&&', '||'), tie('e')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc.tuple(tie('e'), tie('e'), tie('e')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
})).e;

describe('for any expression', () => {
  it('a value of another type passes only when every value of the right type passes', () => {
    fc.assert(
      fc.property(
        expression,
        fc.record({
          s: fc.constantFrom(...right.s),
          n: fc.constantFrom(...right.n),
          b: fc.boolean(),
          l: fc.constantFrom(...right.l),
        }),
        fc.constantFrom<Field>('s', 'n', 'b', 'l'),
        fc.nat(),
        (condition_expression, typed, field, pick) => {
          const values = wrong[field];
          const mistyped = { ...typed, [field]: values[pick % values.length] };
          const passes = judge({ condition_expression });
          if (!passes(mistyped)) return;
          for (const value of right[field]) expect(passes({ ...typed, [field]: value })).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
