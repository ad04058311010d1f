import { ownedBy } from './key-maker.js';
import { deciderSpec } from '@agentlattice/decider';
import { agentDecider, type AgentEvent, ownerOf } from './agent.js';
import { keyDecider, type KeyEvent } from './key.js';
import { memberDecider, type MemberEvent } from './member.js';
import { lesserRole, mayCall, type Principal } from './principal.js';

const agent = { id: 'agt_1', name: 'bot' };
const registered: AgentEvent = {
  type: 'agent.registered',
  data: { agent, description: null, owner_member_id: null },
};
const suspended: AgentEvent = { type: 'agent.suspended', data: { agent, pending: 'keep' } };

describe('an agent', () => {
  const given = deciderSpec(agentDecider);
  it('is suspended once', () => {
    given(registered).when({ type: 'SuspendAgent', pending: 'keep' }).thenEvents(suspended);
    given(registered, suspended)
      .when({ type: 'SuspendAgent', pending: 'keep' })
      .thenRefused('ALREADY_SUSPENDED');
  });
  it('is resumed only when suspended', () => {
    given(registered).when({ type: 'ResumeAgent' }).thenRefused('NOT_SUSPENDED');
    given(registered, suspended)
      .when({ type: 'ResumeAgent' })
      .thenEvents({ type: 'agent.resumed', data: { agent } });
  });
  it('that was never registered cannot be suspended', () =>
    given().when({ type: 'SuspendAgent', pending: 'keep' }).thenRefused('NOT_FOUND'));
  it('belongs to the person who registered it, or to the maker of the service key that did', () => {
    const actor = { id: 'mbr_1', key_id: 'key_1', via: 'api' } as const;
    expect(ownerOf({ ...actor, kind: 'operator' }, null)).toBe('mbr_1');
    expect(ownerOf({ ...actor, id: null, kind: 'service' }, 'mbr_2')).toBe('mbr_2');
  });
});

describe('a key', () => {
  const given = deciderSpec(keyDecider);
  const created: KeyEvent = {
    type: 'key.created',
    data: {
      key_id: 'key_1',
      kind: 'service',
      role: null,
      scopes: ['agents:register'],
      member_id: null,
      agent_id: null,
      expires_at: null,
    },
  };
  const revoked: KeyEvent = { type: 'key.revoked', data: { key_id: 'key_1' } };
  it('is revoked once, however often that is requested', () => {
    given(created).when({ type: 'RevokeKey' }).thenEvents(revoked);
    given(created, revoked).when({ type: 'RevokeKey' }).thenNothing();
  });
  it('that is revoked is not rotated', () =>
    given(created, revoked)
      .when({ type: 'RotateKey', successorId: 'key_2', overlapUntil: '2026-01-01T00:00:00.000Z' })
      .thenRefused('KEY_REVOKED'));
});

describe('a membership', () => {
  const given = deciderSpec(memberDecider);
  const terms = { id: 'mbr_1', role: 'member', groups: ['sre'] } as const;
  const data: { member_id: string; role: 'member'; groups: string[] } = {
    member_id: 'mbr_1',
    role: 'member',
    groups: ['sre'],
  };
  const created: MemberEvent = { type: 'member.created', data };
  const invited: MemberEvent = { type: 'member.invited', data };
  const accepted: MemberEvent = { type: 'member.accepted', data };
  const declined: MemberEvent = { type: 'member.declined', data: { member_id: 'mbr_1' } };
  const accept = { type: 'AcceptInvitation' } as const;
  const decline = { type: 'DeclineInvitation' } as const;

  it('is active at first for a new account, and invited for an existing one', () => {
    given()
      .when({ type: 'CreateMember', ...terms })
      .thenEvents(created);
    given()
      .when({ type: 'InviteMember', ...terms })
      .thenEvents(invited);
  });
  it('becomes active when its person accepts, also after declining', () => {
    given(invited).when(accept).thenEvents(accepted);
    given(invited, declined).when(accept).thenEvents(accepted);
  });
  it('changes in what differs; the name is in no event', () => {
    const change = { type: 'UpdateMember', renamed: false, otherAdmins: 1 } as const;
    const updated = (changed: ('name' | 'role' | 'groups')[], now: Partial<typeof data>): MemberEvent => ({
      type: 'member.updated',
      data: { ...data, ...now, changed },
    });
    given(created)
      .when({ ...change, renamed: true, role: 'member', groups: ['sre'] })
      .thenEvents(updated(['name'], {}));
    given(created)
      .when({ ...change, groups: [] })
      .thenEvents(updated(['groups'], { groups: [] }));
    given(created)
      .when({ ...change, groups: ['sre', 'legal'] })
      .thenEvents(updated(['groups'], { groups: ['sre', 'legal'] }));
    given(created).when(change).thenNothing();
    given(invited, updated(['groups'], { groups: ['legal'] }))
      .when(accept)
      .thenEvents({ type: 'member.accepted', data: { ...data, groups: ['legal'] } });
  });

  it('ends once, and an invitation can be taken back', () => {
    const remove = { type: 'RemoveMember', otherAdmins: 0 } as const;
    const removed: MemberEvent = { type: 'member.removed', data: { member_id: 'mbr_1' } };
    given(created).when(remove).thenEvents(removed);
    given(invited).when(remove).thenEvents(removed);
    for (const command of [remove, accept, decline, { type: 'ChangePassword' } as const])
      given(created, removed).when(command).thenRefused('NOT_FOUND');
  });

  it('of the last administrator stays, unless it was never accepted', () => {
    const boss = { ...data, role: 'admin' as const };
    const made: MemberEvent = { type: 'member.created', data: boss };
    for (const otherAdmins of [0, 1]) {
      const lowered = { type: 'UpdateMember', role: 'member', renamed: false, otherAdmins } as const;
      const remove = { type: 'RemoveMember', otherAdmins } as const;
      if (otherAdmins === 0) {
        given(made).when(lowered).thenRefused('LAST_ADMIN');
        given(made).when(remove).thenRefused('LAST_ADMIN');
        given({ type: 'member.invited', data: boss })
          .when(remove)
          .thenEvents({ type: 'member.removed', data: { member_id: 'mbr_1' } });
        given(made)
          .when({ ...lowered, role: 'admin', renamed: true })
          .thenEvents({ type: 'member.updated', data: { ...boss, changed: ['name'] } });
      } else
        given(made)
          .when(lowered)
          .thenEvents({ type: 'member.updated', data: { ...data, changed: ['role'] } });
    }
  });

  it('is answered once', () => {
    given(invited).when(decline).thenEvents(declined);
    given(invited, declined).when(decline).thenRefused('INVITATION_ANSWERED');
    for (const command of [accept, decline]) {
      given(created).when(command).thenRefused('INVITATION_ANSWERED');
      given(invited, accepted).when(command).thenRefused('INVITATION_ANSWERED');
      given().when(command).thenRefused('NOT_FOUND');
    }
  });
});

describe('the callers of a route', () => {
  const common = {
    keyId: 'key_1',
    orgId: 'org_1',
    name: 'x',
    expiresAt: null,
    ...ownedBy('mbr_1'),
  };
  const operator = (role: 'viewer' | 'member' | 'admin', instanceAdmin = false): Principal => ({
    ...common,
    kind: 'operator',
    memberId: 'mbr_1',
    personId: 'mbr_1',
    role,
    instanceAdmin,
  });
  const service: Principal = { ...common, kind: 'service', scopes: ['policies:read'] };
  const anAgent: Principal = {
    ...common,
    kind: 'agent',
    agent: { ...agent, suspended: false, owner_member_id: null },
    resumedAt: null,
  };
  it.each([
    [operator('admin'), ['operator:viewer'], true],
    [operator('viewer'), ['operator:member'], false],
    [operator('member'), ['operator:admin'], false],
    [operator('admin'), ['instance_admin'], false],
    [operator('viewer', true), ['instance_admin'], true],
    [operator('admin'), ['agent', 'service'], false],
    [service, ['service:policies:read'], true],
    [service, ['service:policies:write'], false],
    [service, ['service'], true],
    [service, ['agent', 'operator:viewer'], false],
    [anAgent, ['agent'], true],
    [anAgent, ['operator:viewer', 'service'], false],
  ] as const)('%j calls %j: %s', (principal, callers, may) => expect(mayCall(principal, callers)).toBe(may));
  it('has the lesser of two roles', () => expect(lesserRole('admin', 'viewer')).toBe('viewer'));
});
