import { policyChanges } from './policy-diff.js';

const limit = (value: number) => ({ field: 'count', operator: 'lte' as const, value });

describe('the difference of two versions', () => {
  it('names only the members that differ', () =>
    expect(
      policyChanges({ name: 'A', timeout: '30m', active: true }, { name: 'A', timeout: '1h', active: false }),
    ).toEqual([
      { member: 'timeout', was: ['30m'], now: ['1h'] },
      { member: 'active', was: ['true'], now: ['false'] },
    ]));

  it('shows the elements of a list that left and that came', () =>
    expect(policyChanges({ conditions: [limit(1), limit(2)] }, { conditions: [limit(2), limit(3)] })).toEqual(
      [{ member: 'conditions', was: [JSON.stringify(limit(1))], now: [JSON.stringify(limit(3))] }],
    ));

  it('shows another order as such', () =>
    expect(policyChanges({ conditions: [limit(1), limit(2)] }, { conditions: [limit(2), limit(1)] })).toEqual(
      [
        {
          member: 'conditions',
          was: [JSON.stringify(limit(1)), JSON.stringify(limit(2))],
          now: [JSON.stringify(limit(2)), JSON.stringify(limit(1))],
        },
      ],
    ));

  it('shows an element that is there once more', () =>
    expect(policyChanges({ conditions: [limit(1)] }, { conditions: [limit(1), limit(1)] })).toHaveLength(1));

  it('is empty for the same content', () =>
    expect(
      policyChanges({ name: 'A', conditions: [limit(1)] }, { name: 'A', conditions: [limit(1)] }),
    ).toEqual([]));

  it('shows an expression that came', () =>
    expect(policyChanges({ condition_expression: null }, { condition_expression: 'a\nb' })).toEqual([
      { member: 'condition_expression', was: [], now: ['a', 'b'] },
    ]));
});
