import type { OperatorRole } from '@agentlattice/contracts';
import fc from 'fast-check';
import { carriesInstanceRights, isOwn, makerOf } from './key-maker.js';

const [anna, ben, carl] = ['mbr_anna', 'mbr_ben', 'mbr_carl'];
const key = (memberId: string, madeBy: string | null) => ({ memberId, madeBy });

describe('who answers for a key', () => {
  it.each([
    ['made with a key of one’s own, for oneself', key(anna, anna), anna, anna],
    ['made with a key of one’s own, for another', key(anna, anna), ben, anna],
    ['made with a key of one’s own, for an agent', key(anna, anna), null, anna],
    ['made with a key that another made', key(ben, anna), ben, anna],
    ['made with such a key for a third', key(ben, anna), carl, anna],
    ['made with such a key for its maker, who was not the only one to hold it', key(ben, anna), anna, ben],
    ['made with a key of which nobody knows who made it', key(anna, null), anna, null],
  ])('%s', (_case, used, memberId, maker) => expect(makerOf(used, memberId)).toBe(maker));
});

describe('the rights over the instance', () => {
  const claim = {
    orgId: 'org_home',
    memberId: anna,
    madeBy: anna,
    role: 'admin',
    person: { instanceAdmin: true, homeOrgId: 'org_home' },
  } as const;
  it.each([
    ['a key of the person’s own, at home, with the full role', {}, true],
    ['a key that an administrator made for the person', { madeBy: ben }, false],
    ['a key of which nobody knows who made it', { madeBy: null }, false],
    ['a key of another workspace', { orgId: 'org_other' }, false],
    ['a key of a lesser role', { role: 'member' }, false],
    [
      'a key of somebody without the flag',
      { person: { instanceAdmin: false, homeOrgId: 'org_home' } },
      false,
    ],
    ['a person whose home nobody knows', { person: { instanceAdmin: true, homeOrgId: null } }, false],
  ] as const)('%s: %j', (_case, change, carries) =>
    expect(carriesInstanceRights({ ...claim, ...change })).toBe(carries),
  );
});

/** Keys as they are given out in a game of several workspaces; who makes or rotates one is shown it. */
interface Given {
  readonly orgId: string;
  readonly memberId: string;
  readonly madeBy: string | null;
  readonly role: OperatorRole;
  readonly shownTo: ReadonlySet<string>;
}
const root = 'root';
const flags = { instanceAdmin: true, homeOrgId: 'org_home' };
const carries = ({ orgId, memberId, madeBy, role }: Given) =>
  carriesInstanceRights({
    orgId,
    memberId,
    madeBy,
    role,
    person: memberId === root ? flags : { instanceAdmin: false, homeOrgId: orgId },
  });

it('no sequence of keys made and rotated by others, or given to others, yields one with these rights', () => {
  const own = (orgId: string, memberId: string): Given => ({
    orgId,
    memberId,
    madeBy: memberId,
    role: 'admin',
    shownTo: new Set([memberId]),
  });
  const step = fc.record({
    used: fc.nat(),
    does: fc.constantFrom('make', 'rotate'),
    target: fc.nat(),
    member: fc.constantFrom(root, 'ben', 'carl'),
    role: fc.constantFrom<OperatorRole>('viewer', 'member', 'admin'),
    handedTo: fc.constantFrom('ben', 'carl', null),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      // Everybody is an administrator everywhere, and the instance administrator has accepted every invitation.
      const keys = ['org_home', 'org_other'].flatMap((org) =>
        [root, 'ben', 'carl'].map((who) => own(org, who)),
      );
      for (const { used, does, target, member, role, handedTo } of steps) {
        const by = keys[used % keys.length] as Given;
        const old = keys[target % keys.length] as Given;
        if (by.role !== 'admin' || old.orgId !== by.orgId) continue;
        const memberId = does === 'make' ? member : old.memberId;
        // A key for somebody else is handed over; nobody gives away the keys of their own.
        const handed = memberId === root ? [memberId] : [memberId, ...(handedTo === null ? [] : [handedTo])];
        const alone = by.shownTo.size === 1 && by.shownTo.has(memberId);
        keys.push({
          orgId: by.orgId,
          memberId,
          madeBy: makerOf(by, memberId),
          role: does === 'make' ? role : old.role,
          shownTo: alone ? by.shownTo : new Set([...by.shownTo, ...handed]),
        });
      }
      for (const given of keys) {
        if (carries(given)) expect([...given.shownTo]).toEqual([root]);
        if (isOwn(given)) expect([...given.shownTo]).toEqual([given.memberId]);
      }
    }),
    { numRuns: 2_000 },
  );
});
