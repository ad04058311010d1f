import { maxLiveDelegations } from '@agentlattice/contracts';
import { deciderSpec, fold } from '@agentlattice/decider';
import {
  type CreateDelegation,
  type Delegation,
  delegationDecider,
  type DelegationEvent,
  type KnownDelegation,
  mayRevoke,
} from './delegation.js';

const now = new Date('2026-11-25T09:00:00.000Z');
const after = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const root = { id: 'agt_root', name: 'root' };
const child = { id: 'agt_child', name: 'child' };

const create = (more: Partial<CreateDelegation> = {}): CreateDelegation => ({
  type: 'CreateDelegation',
  id: 'del_1',
  child,
  parent: { agent: root, chain: [] },
  capabilities: ['db.read'],
  ttlSeconds: 60,
  liveInTree: 0,
  now,
  ...more,
});
const created = (members: Partial<Extract<DelegationEvent, { type: 'delegation.created' }>['data']> = {}) =>
  ({
    type: 'delegation.created',
    data: {
      delegation_id: 'del_1',
      agent: child,
      acting_for: [root],
      above: [],
      capabilities: ['db.read'],
      expires_at: after(60).toISOString(),
      ...members,
    },
  }) satisfies DelegationEvent;
const revoked = {
  type: 'delegation.revoked',
  data: { delegation_id: 'del_1', agent: child, acting_for: [root], revoked_with: null },
} satisfies DelegationEvent;
const expired = {
  type: 'delegation.expired',
  data: {
    delegation_id: 'del_1',
    agent: child,
    acting_for: [root],
    expires_at: after(60).toISOString(),
  },
} satisfies DelegationEvent;
const stateAfter = (...events: DelegationEvent[]): Delegation => fold(delegationDecider, events);

const given = deciderSpec(delegationDecider);

describe('a delegation', () => {
  it('is made by an agent that acts for no other, with any capabilities', () => {
    given()
      .when(create({ capabilities: ['*'] }))
      .thenEvents(created({ capabilities: ['*'] }));
  });

  it('of a child only narrows, and ends with that of its parent at the latest', () => {
    const parent = { agent: child, chain: [stateAfter(created({ capabilities: ['db.*', 'mail.send'] }))] };
    const grandchild = { id: 'agt_2', name: 'grandchild' };
    const wanted = { id: 'del_2', child: grandchild, parent, ttlSeconds: 3_600, capabilities: ['db.read.*'] };
    given()
      .when(create(wanted))
      .thenEvents(
        created({
          delegation_id: 'del_2',
          agent: grandchild,
          acting_for: [root, child],
          above: ['del_1'],
          capabilities: ['db.read.*'],
          expires_at: after(60).toISOString(),
        }),
      );
    for (const wider of ['*', 'mail.*', 'db', 'mail.send.all'])
      given()
        .when(create({ ...wanted, capabilities: ['db.read', wider] }))
        .thenRefused('DELEGATION_SCOPE');
  });

  it.each<[string, Delegation[]]>([
    ['was revoked', [stateAfter(created(), revoked)]],
    ['has expired', [stateAfter(created(), expired)]],
    ['is over and not recorded as expired yet', [stateAfter(created({ expires_at: now.toISOString() }))]],
    ['is unknown', [{ status: 'none' }]],
    ['is of another agent', [stateAfter(created({ agent: root }))]],
    [
      'stands below one that was revoked',
      [stateAfter(created({ delegation_id: 'del_0' }), revoked), stateAfter(created())],
    ],
  ])('is not made when that of the parent %s', (_, chain) =>
    given()
      .when(create({ parent: { agent: child, chain } }))
      .thenRefused('DELEGATION_SCOPE'),
  );

  it('is not made in a chain that is too long, or next to too many others', () => {
    const chain = (length: number) => Array.from({ length }, () => stateAfter(created()));
    given()
      .when(create({ parent: { agent: child, chain: chain(8) } }))
      .thenRefused('DELEGATION_LIMIT');
    const most = delegationDecider.decide(
      create({ parent: { agent: child, chain: chain(7) } }),
      delegationDecider.initialState(),
    );
    expect(most).toHaveLength(1);
    given()
      .when(create({ liveInTree: maxLiveDelegations }))
      .thenRefused('DELEGATION_LIMIT');
  });

  it('is made and revoked once', () => {
    given(created()).when(create()).thenNothing();
    const revoke = { type: 'RevokeDelegation', revokedWith: null, now } as const;
    given(created()).when(revoke).thenEvents(revoked);
    given(created(), revoked).when(revoke).thenNothing();
    given().when(revoke).thenRefused('NOT_FOUND');
    // It was over before it was revoked.
    given(created())
      .when({ ...revoke, now: after(60) })
      .thenEvents(expired);
    given(created(), expired).when(revoke).thenNothing();
    given(created())
      .when({ ...revoke, revokedWith: 'del_0' })
      .thenEvents({ ...revoked, data: { ...revoked.data, revoked_with: 'del_0' } });
  });

  it('expires at its time, and not before', () => {
    given(created())
      .when({ type: 'ExpireDelegation', now: after(59.999) })
      .thenNothing();
    given(created())
      .when({ type: 'ExpireDelegation', now: after(60) })
      .thenEvents(expired);
    given(created(), revoked)
      .when({ type: 'ExpireDelegation', now: after(60) })
      .thenNothing();
    expect(stateAfter(created(), expired)).toMatchObject({ status: 'expired' });
  });

  it('is revoked by the agents that the child acts for, and not by the child', () => {
    const known = stateAfter(created({ acting_for: [root, child], agent: { id: 'agt_2', name: '2' } }));
    const may = (id: string) => mayRevoke(id, known as KnownDelegation);
    expect([may('agt_root'), may('agt_child'), may('agt_2'), may('agt_other')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
