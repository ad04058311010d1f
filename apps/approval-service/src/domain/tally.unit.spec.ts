import type { ApprovalTerms, Vote } from '@agentlattice/contracts';
import fc from 'fast-check';
import { opened } from '../../test/approval-scenario.js';
import { count, countingVotes } from './tally.js';

const names = ['legal', 'ops', 'security'];
const groupsOf = fc.subarray(names);
const people = fc.array(fc.record({ yes: fc.boolean(), groups: groupsOf }), { maxLength: 6 });
const seats = fc
  .tuple(...names.map(() => fc.integer({ min: 0, max: 2 })))
  .map((counts) => names.map((group, i) => ({ group, count: counts[i] ?? 0 })).filter((s) => s.count > 0));
const terms = fc.record({
  approvals_required: fc.integer({ min: 1, max: 4 }),
  denials_required: fc.integer({ min: 1, max: 3 }),
  approver_groups: seats,
});

const votesOf = (said: readonly { yes: boolean; groups: string[] }[]): Vote[] =>
  said.map(({ yes, groups }, i) => ({
    member_id: `mbr_${String(i)}`,
    decision: yes ? 'approve' : 'deny',
    groups,
    at: opened.requested_at,
    forever_for: null,
  }));

/** The most seats that these people can fill, by exhaustive search. */
function mostSeats([first, ...rest]: readonly Vote[], free: readonly string[]): number {
  if (first === undefined) return 0;
  const seated = first.groups.map((group) => {
    const seat = free.indexOf(group);
    return seat < 0 ? 0 : 1 + mostSeats(rest, free.toSpliced(seat, 1));
  });
  return Math.max(mostSeats(rest, free), ...seated);
}

describe('the count of votes', () => {
  it('is complete exactly when N people approved and every seat has a different person', () => {
    fc.assert(
      fc.property(terms, people, (given, said) => {
        const all: ApprovalTerms = { ...opened.terms, ...given };
        const votes = votesOf(said);
        const approving = votes.filter((vote) => vote.decision === 'approve');
        const free = given.approver_groups.flatMap(({ group, count: n }) => Array<string>(n).fill(group));
        const filled = mostSeats(approving, free);
        const denied = votes.length - approving.length >= given.denials_required;
        const approved = approving.length >= given.approvals_required && filled === free.length;
        const counted = count(all, votes);
        expect(counted.complete).toBe(denied ? 'denied' : approved ? 'approved' : null);
        const open = counted.seatsOpen.filter((seat) => seat.group !== null);
        expect(open.reduce((sum, seat) => sum + seat.count, 0)).toBe(free.length - filled);
        expect(counted.seatsOpen.length === 0).toBe(approved);
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not depend on the order of votes, and another approval never undoes one', () => {
    fc.assert(
      fc.property(terms, people, fc.nat(), (given, said, by) => {
        const all: ApprovalTerms = { ...opened.terms, ...given };
        const votes = votesOf(said);
        const turned = votes.map((_, i) => votes[(i + by) % votes.length] as Vote);
        expect(count(all, turned).complete).toBe(count(all, votes).complete);
        const [more] = votesOf([{ yes: true, groups: names }]);
        if (more !== undefined && count(all, votes).complete === 'approved')
          expect(count(all, [...votes, { ...more, member_id: 'mbr_more' }]).complete).toBe('approved');
      }),
    );
  });

  const id = (i: number) => `mbr_${String(i)}`;
  const holder = fc.nat(9).map(id);
  /** Votes of different members with keys of any origin: of members who vote, and of others. */
  const withKeys = fc
    .array(
      fc.record({
        yes: fc.boolean(),
        key: fc.option(
          fc.record({
            made_by: fc.option(holder),
            shown_to: fc.option(fc.uniqueArray(holder, { maxLength: 3 }), { nil: undefined }),
          }),
        ),
      }),
      { maxLength: 7 },
    )
    .map((said) =>
      votesOf(said.map(({ yes }) => ({ yes, groups: [] }))).map((vote, i): Vote => {
        const { made_by = null, shown_to } = said[i]?.key ?? {};
        const key = { id: 'key_1', made_by, ...(shown_to === undefined ? {} : { shown_to }) };
        return { ...vote, key: (said[i]?.key ?? null) === null ? null : key };
      }),
    );
  const holders = ({ member_id, key }: Vote) => [
    ...new Set([member_id, key?.made_by ?? member_id, ...(key?.shown_to ?? [])]),
  ];
  const share = (a: Vote, b: Vote) =>
    a.decision === b.decision && holders(a).some((each) => holders(b).includes(each));
  /** The fewest people who can have cast all of these, by exhaustive search. */
  function fewestPeople([first, ...rest]: readonly Vote[]): number {
    if (first === undefined) return 0;
    return (
      1 +
      Math.min(...holders(first).map((one) => fewestPeople(rest.filter((v) => !holders(v).includes(one)))))
    );
  }

  it('counts one of the votes whose keys share a holder, and never more votes than people must have cast', () => {
    fc.assert(
      fc.property(withKeys, (votes) => {
        const counting = countingVotes(votes);
        for (const vote of counting)
          expect(counting.filter((other) => other !== vote && share(vote, other))).toEqual([]);
        for (const side of ['approve', 'deny']) {
          const cast = votes.filter(({ decision }) => decision === side);
          expect(counting.filter(({ decision }) => decision === side).length).toBeLessThanOrEqual(
            fewestPeople(cast),
          );
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('counts every vote with a key of the voter’s own, and leaves out no vote without need', () => {
    fc.assert(
      fc.property(withKeys, (votes) => {
        const counting = countingVotes(votes);
        for (const vote of votes) {
          if (counting.includes(vote)) continue;
          expect(holders(vote).length).toBeGreaterThan(1);
          expect(counting.filter((other) => share(vote, other))).not.toEqual([]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves out the same votes in any order', () => {
    fc.assert(
      fc.property(withKeys, fc.nat(), (votes, by) => {
        const turned = votes.map((_, i) => votes[(i + by) % votes.length] as Vote);
        expect(new Set(countingVotes(turned))).toEqual(new Set(countingVotes(votes)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('counts one vote of an administrator who made the keys of all others, for any number of votes cast with them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.boolean(), (people, alsoOwn) => {
        const lent = { id: 'key_1', made_by: 'mbr_admin', shown_to: ['mbr_admin'] };
        const votes = votesOf(Array.from({ length: people }, () => ({ yes: true, groups: [] })));
        const cast = votes.map((vote): Vote => ({ ...vote, key: lent }));
        if (alsoOwn) cast.push({ ...(cast[0] as Vote), member_id: 'mbr_admin' });
        expect(count(opened.terms, cast).approvals.have).toBe(1);
      }),
    );
  });

  it.each([
    [
      'a colleague’s with the maker’s own',
      [
        ['b', 'a'],
        ['a', 'a'],
      ],
      1,
    ],
    [
      'two colleagues’ with keys of one maker',
      [
        ['b', 'a'],
        ['c', 'a'],
      ],
      1,
    ],
    [
      'two colleagues’ with the maker’s own',
      [
        ['b', 'a'],
        ['c', 'a'],
        ['a', 'a'],
      ],
      1,
    ],
    [
      'of two with keys of their own, beside one that both of them hold',
      [
        ['a', 'a'],
        ['b', 'b'],
        ['c', 'a', 'b'],
      ],
      2,
    ],
    [
      'of two whom a third’s key connects',
      [
        ['b', 'a'],
        ['c', 'x'],
        ['d', 'a', 'x'],
      ],
      2,
    ],
    [
      'of two who made each other’s keys',
      [
        ['b', 'a'],
        ['a', 'b'],
      ],
      1,
    ],
    [
      'of three in a ring',
      [
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'a'],
      ],
      1,
    ],
    [
      'with keys of makers who do not vote',
      [
        ['b', 'x'],
        ['c', 'y'],
      ],
      2,
    ],
    [
      'with keys of which nobody knows the maker',
      [
        ['a', null],
        ['b', null],
      ],
      2,
    ],
  ] as const)('votes %s', (_case, cast, have) => {
    const votes = cast.map(([member_id, made_by, ...shown_to]): Vote => ({
      member_id,
      decision: 'approve',
      groups: [],
      at: opened.requested_at,
      forever_for: null,
      key: { id: 'key_1', made_by, shown_to },
    }));
    expect(count(opened.terms, votes).approvals.have).toBe(have);
    // Approvals and denials are counted apart: an approval never removes a denial.
    const [first, ...rest] = votes;
    if (first !== undefined)
      expect(count(opened.terms, [{ ...first, decision: 'deny' }, ...rest]).denials.have).toBe(1);
  });

  it('gives the number of votes and the number that is needed', () => {
    const groups = { approvals_required: 3, approver_groups: [{ group: 'legal', count: 1 }] };
    expect(count({ ...opened.terms, ...groups }, votesOf([{ yes: true, groups: [] }]))).toEqual({
      approvals: { have: 1, need: 3 },
      denials: { have: 0, need: 1 },
      seatsOpen: [
        { group: 'legal', count: 1 },
        { group: null, count: 1 },
      ],
      complete: null,
    });
  });
});
