import type { OperatorRole } from '@agentlattice/contracts';
import fc from 'fast-check';
import { carriesInstanceRights, type KeyOrigin, mayEndKey, originOf, ownedBy } from './key-maker.js';

const [anna, ben, carl] = ['mbr_anna', 'mbr_ben', 'mbr_carl'];
const own = (memberId: string) => ({ memberId, ...ownedBy(memberId) });
const borrowed = (memberId: string, madeBy: string | null) => ({
  memberId,
  madeBy,
  own: false,
  shownTo: madeBy === null ? [] : [madeBy],
});
const made = (madeBy: string | null, ...shownTo: string[]) => ({ madeBy, own: false, shownTo });

describe('the origin of a key', () => {
  it.each([
    ['made with a key of one’s own, for oneself', own(anna), anna, ownedBy(anna)],
    ['made with a key of one’s own, for another', own(anna), ben, made(anna, anna)],
    ['made with a key of one’s own, for an agent', own(anna), null, made(anna, anna)],
    ['made with a key that another made', borrowed(ben, anna), ben, made(anna, anna, ben)],
    ['made with such a key for a third', borrowed(ben, anna), carl, made(anna, anna, ben)],
    ['made with such a key for its maker', borrowed(ben, anna), anna, made(anna, anna, ben)],
    ['made with a key of unknown origin', borrowed(anna, null), anna, made(null, anna)],
    ['made with a service’s key', { memberId: null, ...made(anna, anna, ben) }, null, made(anna, anna, ben)],
  ])('%s', (_case, used, memberId, origin) => expect(originOf(used, memberId)).toEqual(origin));
});

describe('the rights over the instance', () => {
  const claim = {
    own: true,
    orgId: 'org_home',
    role: 'admin',
    person: { instanceAdmin: true, homeOrgId: 'org_home' },
  } as const;
  it.each([
    ['a key of the person’s own, at home, with the full role', {}, true],
    ['a key that another person made for the person', { own: false }, false],
    ['a key of another workspace', { orgId: 'org_other' }, false],
    ['a key of a lesser role', { role: 'member' }, false],
    [
      'a key of a person without the flag',
      { person: { instanceAdmin: false, homeOrgId: 'org_home' } },
      false,
    ],
    ['a person whose home is not known', { person: { instanceAdmin: true, homeOrgId: null } }, false],
  ] as const)('%s: %j', (_case, change, carries) =>
    expect(carriesInstanceRights({ ...claim, ...change })).toBe(carries),
  );
});

/** Keys of several workspaces. The member who makes or rotates a key is shown it. */
interface Given extends KeyOrigin {
  readonly orgId: string;
  readonly memberId: string;
  readonly role: OperatorRole;
  /** The members who were in fact shown it. */
  readonly seenBy: ReadonlySet<string>;
}
const root = 'root';
const flags = { instanceAdmin: true, homeOrgId: 'org_home' };
const carries = ({ memberId, ...key }: Given) =>
  carriesInstanceRights({
    ...key,
    person: memberId === root ? flags : { instanceAdmin: false, homeOrgId: key.orgId },
  });

it('no sequence of making, rotating and handing over keys gives another person a key with these rights', () => {
  const first = (orgId: string, memberId: string): Given => ({
    orgId,
    memberId,
    ...ownedBy(memberId),
    role: 'admin',
    seenBy: new Set([memberId]),
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
      // Every person is an administrator of every workspace, and the instance administrator accepted every invitation.
      const keys = ['org_home', 'org_other'].flatMap((org) =>
        [root, 'ben', 'carl'].map((who) => first(org, who)),
      );
      for (const { used, does, target, member, role, handedTo } of steps) {
        const by = keys[used % keys.length] as Given;
        const old = keys[target % keys.length] as Given;
        if (by.role !== 'admin' || old.orgId !== by.orgId) continue;
        const memberId = does === 'make' ? member : old.memberId;
        // A key for another person is handed over; people keep the keys of their own.
        const handed = memberId === root ? [memberId] : [memberId, ...(handedTo === null ? [] : [handedTo])];
        const alone = by.seenBy.size === 1 && by.seenBy.has(memberId);
        keys.push({
          orgId: by.orgId,
          memberId,
          ...originOf(by, memberId),
          role: does === 'make' ? role : old.role,
          seenBy: alone ? by.seenBy : new Set([...by.seenBy, ...handed]),
        });
      }
      for (const given of keys) {
        if (carries(given)) expect([...given.seenBy]).toEqual([root]);
        if (given.own) expect([...given.seenBy]).toEqual([given.memberId]);
      }
    }),
    { numRuns: 2_000 },
  );
});

describe('ending a key', () => {
  const [instance, plain] = [true, false].map((instanceAdmin) => ({ memberId: anna, instanceAdmin })) as [
    Parameters<typeof mayEndKey>[0],
    Parameters<typeof mayEndKey>[0],
  ];
  it.each([
    ['a plain one, by any caller of the route', { memberId: ben, instanceAdmin: false }, plain, true],
    [
      'one with rights over the instance, by another',
      { memberId: ben, instanceAdmin: false },
      instance,
      false,
    ],
    ['by another with such rights', { memberId: ben, instanceAdmin: true }, instance, false],
    ['by its person, with a key that was lent to them', plain, instance, false],
    ['by its person, with a key that carries them', instance, instance, true],
  ])('%s', (_case, caller, key, may) => expect(mayEndKey(caller, key)).toBe(may));
});
