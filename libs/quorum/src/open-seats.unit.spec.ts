import { isFilled, openSeats, type Voter } from './open-seats.js';

const voter = (...groups: string[]): Voter => ({ groups });
const rule = (approvals_required: number, ...seats: [string, number][]) => ({
  approvals_required,
  approver_groups: seats.map(([group, count]) => ({ group, count })),
});

it('counts people where no group is asked for', () => {
  expect(openSeats(rule(2), [])).toEqual({ need: 2, groups: [], others: 2 });
  expect(openSeats(rule(2), [voter('legal')])).toEqual({ need: 2, groups: [], others: 1 });
  expect(openSeats(rule(2), [voter(), voter(), voter()])).toEqual({ need: 2, groups: [], others: 0 });
});

it('needs as many people as there are seats of groups, even if the rule asks for fewer', () =>
  expect(openSeats(rule(1, ['legal', 1], ['security', 2]), [])).toEqual({
    need: 3,
    groups: [
      { group: 'legal', count: 1 },
      { group: 'security', count: 2 },
    ],
    others: 0,
  }));

it('asks for people of any group where the rule needs more than the groups have seats', () =>
  expect(openSeats(rule(3, ['legal', 1]), [voter()])).toEqual({
    need: 3,
    groups: [{ group: 'legal', count: 1 }],
    others: 1,
  }));

it('gives nobody two seats', () =>
  expect(openSeats(rule(1, ['legal', 1], ['security', 1]), [voter('legal', 'security')]).groups).toEqual([
    { group: 'legal', count: 0 },
    { group: 'security', count: 1 },
  ]));

it('moves people to another of their groups, along a chain, where that makes room', () => {
  const voters = [voter('a', 'b'), voter('b', 'c'), voter('a'), voter('b')];
  const { groups } = openSeats(rule(1, ['a', 1], ['b', 1], ['c', 1]), voters.slice(0, 3));
  expect(groups.map(({ count }) => count)).toEqual([0, 0, 0]);
  expect(openSeats(rule(1, ['a', 1], ['b', 2], ['c', 1]), voters).groups.map(({ count }) => count)).toEqual([
    0, 0, 0,
  ]);
});

it('ignores groups that the rule does not name', () =>
  expect(openSeats(rule(1, ['legal', 1]), [voter('sales'), voter('sales', 'legal')])).toEqual({
    need: 1,
    groups: [{ group: 'legal', count: 0 }],
    others: 0,
  }));

it('is filled once neither a group nor the number of people lacks anybody', () => {
  const asks = rule(2, ['legal', 1]);
  expect(isFilled(openSeats(asks, [voter('legal')]))).toBe(false);
  expect(isFilled(openSeats(asks, [voter(), voter()]))).toBe(false);
  expect(isFilled(openSeats(asks, [voter(), voter('legal')]))).toBe(true);
});

/** All ways to give each voter one of their groups or none; the smallest rest that any of them leaves. */
function bestByTrying(capacity: Readonly<Record<string, number>>, voters: readonly Voter[]): number {
  const rest = Object.values(capacity).reduce((sum, count) => sum + count, 0);
  const [first, ...others] = voters;
  if (first === undefined) return rest;
  const choices = first.groups
    .filter((group) => (capacity[group] ?? 0) > 0)
    .map((group) => bestByTrying({ ...capacity, [group]: (capacity[group] ?? 0) - 1 }, others));
  return Math.min(bestByTrying(capacity, others), ...choices);
}

it('fills as many seats as any assignment can, in any order of the people', () => {
  const names = ['a', 'b', 'c'];
  const subsets = Array.from({ length: 8 }, (_, bits) => names.filter((_name, i) => (bits >> i) % 2 === 1));
  for (const [a, b, c] of [
    [1, 1, 1],
    [2, 1, 0],
    [1, 2, 2],
  ] as const)
    for (let seed = 0; seed < 200; seed++) {
      const voters = Array.from({ length: 5 }, (_, i) =>
        voter(...(subsets[(seed * (i + 3) + i * i) % 8] ?? [])),
      );
      const { groups } = openSeats(rule(1, ['a', a], ['b', b], ['c', c]), voters);
      expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(bestByTrying({ a, b, c }, voters));
    }
});
