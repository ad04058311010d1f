import { groupsIn, mappedMemberships, type MappingRule, ownPath } from './oidc-mapping.js';

const rule = (
  group: string,
  role: MappingRule['role'],
  groups: string[] = [],
  orgId: string | null = null,
) => ({
  ...{ group, role, groups, orgId },
});

describe('the memberships of claims', () => {
  const rules = [
    rule('staff', 'viewer'),
    rule('deciders', 'member', ['sre']),
    rule('bosses', 'admin', ['legal']),
    rule('bosses', 'viewer', [], 'org_z'),
  ];
  it.each<[string[], unknown[]]>([
    [[], []],
    [['Staff'], []],
    [['staff'], [{ orgId: 'org_first', role: 'viewer', groups: [] }]],
    [['deciders', 'staff'], [{ orgId: 'org_first', role: 'member', groups: ['sre'] }]],
    [
      ['bosses', 'deciders'],
      [
        { orgId: 'org_first', role: 'admin', groups: ['sre', 'legal'] },
        { orgId: 'org_z', role: 'viewer', groups: [] },
      ],
    ],
  ])('of %j are %j', (claimed, wanted) =>
    expect(mappedMemberships(claimed, rules, 'org_first')).toEqual(wanted),
  );

  it.each([
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    ['a', ['a']],
    [['a', 1, null], ['a']],
    [undefined, []],
    [{ a: true }, []],
  ])('of the claim %j come the groups %j', (claim, groups) => expect(groupsIn(claim)).toEqual(groups));
});

it.each([
  ['/approvals/apr_1?tab=a#b', '/approvals/apr_1?tab=a#b'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/a\\b', '/'],
  ['https://evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['/a\nb', '/'],
  ['/a b', '/'],
  [`/${'x'.repeat(1_001)}`, '/'],
  [undefined, '/'],
  [['/a'], '/'],
])('after a sign-in %j leads to %s', (given, path) => expect(ownPath(given)).toBe(path));
