import { approvalServiceCommands as commands } from '@agentlattice/contracts';
import { eventually } from '@agentlattice/testkit';
import { newId, requested } from '../test/approval-fixture.js';
import { allows, asks, denies, governsNothing, policyRef } from '../test/fake-policy-engine.js';
import { many, type PolicyChangeHarness, policyChangeHarness } from '../test/policy-change-harness.js';

describe('a change of policies', () => {
  let h: PolicyChangeHarness;
  beforeAll(async () => {
    h = await policyChangeHarness();
  });
  beforeEach(() => h.reset());
  afterAll(() => h.stop());

  it('that allows approves open requests, the oldest first, without an operator, and the event names the change', async () => {
    const org = newId('org');
    const items = many(org, 250);
    await h.opened(...items);
    const { id } = items[0]?.policy ?? policyRef();
    const policy = policyRef({ id, name: 'production deployments', version: 4 });
    h.engine.judge = () => allows(policy);
    const { event_id } = await h.engine.change(org, 'policy.updated', policy);
    await eventually(() => items.every((item) => h.n.wakes.includes(item.approval_id)));
    const all = await h.events(org);
    expect(all.map(({ approval_id }) => approval_id)).toEqual(items.map((item) => item.approval_id));
    const change = {
      event_id,
      type: 'policy.updated',
      policy_id: id,
      policy_name: 'production deployments',
      policy_version: 4,
    };
    for (const { type, data } of all) {
      expect(type).toBe('approval.approved');
      expect(data).toMatchObject({ change, votes: [], scope: 'once', forever_by: null });
    }
    const [item] = items;
    if (item === undefined) throw new Error('there is an item');
    const note =
      'Approved automatically: the policy "production deployments" was changed, and "production deployments" allows this action now.';
    const seen = await h.view(item);
    expect(seen).toMatchObject({ status: 'approved', resolved_by: null, reason: note });
    expect(seen.history.at(-1)).toMatchObject({ type: 'approval.approved', operator: null, note });
    const { org_id, approval_id } = item;
    const status = await h.n.client.request(commands.approval_status, {
      org_id,
      approval_id,
      agent_id: item.agent.id,
    });
    expect(status).toMatchObject({ status: 'approved', resolved_by: null });
    expect(status.grant).not.toBeNull();
    const { rows } = await h.pool.query<{ meta: object }>(
      `SELECT DISTINCT meta - 'traceparent' AS meta FROM event WHERE org_id = $1 AND type = 'approval.approved'`,
      [org],
    );
    expect(rows).toEqual([
      {
        meta: {
          actor: { kind: 'system', id: null, key_id: null, via: 'system' },
          correlation_id: 'req-7',
        },
      },
    ]);
    expect(h.engine.asked.every((batch) => batch.length <= 100)).toBe(true);
  });

  it('is judged by the submitted facts, not by the current ones', async () => {
    const org = newId('org');
    const judged_at = '2026-11-25T03:04:05.678Z';
    const agent = { id: newId('agt'), name: 'owned', owner_member_id: 'mbr_1' };
    const item = requested(org, 600_000, { judged_at, agent });
    await h.opened(item);
    await h.engine.change(org, 'policy.updated');
    await h.settled(org);
    expect(h.engine.asked.flat()).toEqual([
      {
        approval_id: item.approval_id,
        agent,
        action_type: item.action_type,
        metadata: item.metadata,
        data_accessed: item.data_accessed,
        judged_at,
      },
    ]);
  });

  it('that the engine knows before its event arrives is applied when the event arrives', async () => {
    const org = newId('org');
    const [item] = many(org, 1);
    if (item === undefined) throw new Error('there is an item');
    await h.opened(item);
    const { policy } = item;
    h.engine.judge = () => governsNothing;
    await h.engine.change(org, 'policy.updated', policy);
    await h.settled(org);
    expect(h.engine.asked.flat()).toHaveLength(1);
    expect(await h.statusOf(item)).toBe('pending');
    const next = { ...policy, version: policy.version + 1 };
    await h.engine.change(org, 'policy.deactivated', next, { active: false, on_removed: 'deny' });
    await h.settled(org);
    expect(await h.view(item)).toMatchObject({
      status: 'denied',
      denial_reason: 'POLICY_CHANGED',
      resolved_by: null,
    });
  });

  it('that still asks for approval leaves the request open under the policy that governs now', async () => {
    const org = newId('org');
    const [item] = many(org, 1);
    if (item === undefined) throw new Error('there is an item');
    await h.opened(item);
    const stricter = policyRef({ name: 'stricter', version: 7 });
    const conditions_evaluated = [{ field: 'env', operator: 'eq', expected: 'test', result: false }];
    h.engine.judge = () => ({ ...asks(stricter, { approvals_required: 3 }), conditions_evaluated });
    await h.engine.change(org, 'policy.created', stricter);
    await eventually(async () => (await h.view(item)).policy.id === stricter.id);
    const seen = await h.view(item);
    expect(seen).toMatchObject({
      status: 'pending',
      policy: stricter,
      conditions_evaluated,
      approvals: { have: 0, need: 3 },
      timeout_at: item.timeout_at,
    });
    expect(seen.history.at(-1)).toMatchObject({
      type: 'approval.policy_changed',
      note: 'The policy "stricter" was created: version 7 of "stricter" governs this request now.',
    });
    // Judged again by the same policy it is unchanged.
    await h.engine.change(org, 'policy.updated', { ...stricter, version: 8 });
    await h.settled(org);
    expect(await h.typesOf(item)).toEqual(['approval.opened', 'approval.policy_changed']);
  });

  it.each(['metadata', 'data_accessed'])(
    'judges no request again whose %s is erased: a missing value must not clear it',
    async (name) => {
      const org = newId('org');
      const [erased, whole] = many(org, 2);
      if (erased === undefined || whole === undefined) throw new Error('there are items');
      await h.opened(erased, whole);
      await h.pool.query(`UPDATE private_value SET ${name} = NULL WHERE approval_id = $1`, [
        erased.approval_id,
      ]);
      h.engine.judge = () => allows();
      await h.engine.change(org, 'policy.updated');
      await h.settled(org);
      expect(await h.statusOf(erased)).toBe('pending');
      expect(await h.statusOf(whole)).toBe('approved');
      expect(h.engine.asked.flat().map(({ approval_id }) => approval_id)).toEqual([whole.approval_id]);
    },
  );

  it.each([
    ['approve', 'approved', null, /^Approved automatically: the policy "p" was deactivated, so nothing/],
    ['deny', 'denied', 'POLICY_CHANGED', /^Denied automatically: the policy "p" was deactivated, so nothing/],
    ['keep', 'pending', null, null],
  ] as const)(
    'that removes the governing policy follows the request’s terms: %s',
    async (on_removed, status, denial_reason, note) => {
      const org = newId('org');
      const terms = { ...requested(org).terms, on_removed };
      const items = many(org, 3, { terms });
      await h.opened(...items);
      h.engine.judge = () => governsNothing;
      await h.engine.change(org, 'policy.deactivated', { name: 'p' });
      await h.settled(org);
      for (const item of items) {
        const seen = await h.view(item);
        expect(seen).toMatchObject({ status, denial_reason, resolved_by: null });
        if (note === null) expect(seen.reason).toBeNull();
        else expect(seen.reason).toMatch(note);
      }
    },
  );

  it('never approves if another policy denies now', async () => {
    const org = newId('org');
    const [item] = many(org, 1);
    if (item === undefined) throw new Error('there is an item');
    await h.opened(item);
    h.engine.judge = () => denies(policyRef({ name: 'no deploys' }));
    await h.engine.change(org, 'policy.deleted', { id: item.policy.id, name: 'gone', version: 4 });
    await eventually(async () => (await h.statusOf(item)) === 'denied');
    expect(await h.view(item)).toMatchObject({
      denial_reason: 'POLICY_CHANGED',
      reason: 'Denied automatically: the policy "gone" was deleted, and "no deploys" denies this action now.',
    });
  });

  it('reaches the requests that it concerns and no others', async () => {
    const org = newId('org');
    const of = (action_type: string) => many(org, 1, { action_type, policy: policyRef() });
    const items = ['deploy.production', 'deploy.staging', 'deployment', 'mail.send'].flatMap(of);
    const elsewhere = many(newId('org'), 1);
    await h.opened(...items, ...elsewhere);
    const asked = () =>
      new Set(h.engine.asked.splice(0).flatMap((batch) => batch.map((one) => one.action_type)));
    const policy = policyRef();
    const change = async (type: string, action_type: string) => {
      await h.engine.change(
        org,
        type,
        { ...policy, version: h.engine.source.events.length + 1 },
        { action_type },
      );
      await eventually(async () => {
        const { rows } = await h.pool.query<{ n: number }>(
          'SELECT count(*)::int AS n FROM policy_change WHERE spread AND org_id = $1 AND policy_version = $2',
          [org, h.engine.source.events.length],
        );
        return rows[0]?.n === 1;
      });
      await h.settled(org);
      return [...asked()].sort();
    };
    expect(await change('policy.created', 'deploy.*')).toEqual(['deploy.production', 'deploy.staging']);
    // The requests that it governed before and those that it governs now.
    expect(await change('policy.updated', 'mail.send')).toEqual([
      'deploy.production',
      'deploy.staging',
      'mail.send',
    ]);
    expect(await change('policy.updated', 'nothing.here')).toEqual(['mail.send']);
    expect(await change('policy.updated', '*')).toHaveLength(4);
  });

  it('that is named is the newest one that concerns the request', async () => {
    const org = newId('org');
    const [item] = many(org, 1);
    if (item === undefined) throw new Error('there is an item');
    await h.opened(item);
    h.engine.away();
    await h.engine.change(org, 'policy.updated', { name: 'first' });
    const second = await h.engine.change(
      org,
      'policy.updated',
      { name: 'second' },
      { action_type: 'deploy.*' },
    );
    await h.engine.change(org, 'policy.created', { name: 'other' }, { action_type: 'mail.*' });
    await h.noted(org);
    h.engine.judge = () => allows();
    await h.engine.back();
    await eventually(async () => (await h.statusOf(item)) === 'approved');
    const [approved] = await h.events(org);
    expect(approved?.data['change']).toMatchObject({ event_id: second.event_id, policy_name: 'second' });
  });

  it('decides nothing while the engine is unreachable, and everything when it is back', async () => {
    const org = newId('org');
    const items = many(org, 20);
    await h.opened(...items);
    h.engine.judge = () => allows();
    h.engine.away();
    await h.engine.change(org, 'policy.updated');
    await h.noted(org);
    await eventually(
      async () =>
        (await h.pool.query('SELECT FROM rejudging WHERE org_id = $1', [org])).rowCount === items.length,
    );
    // A workspace that cannot be judged does not delay another one.
    expect(await h.events(org)).toEqual([]);
    await h.engine.back();
    h.engine.atOnce = 7;
    await h.settled(org);
    expect((await h.events(org)).map(({ type }) => type)).toEqual(items.map(() => 'approval.approved'));
  });

  it('does not change requests that ended meanwhile or are past their deadline', async () => {
    const org = newId('org');
    const [cancelled, late] = [requested(org, 600_000), requested(org, 400)];
    await h.opened(cancelled, late);
    h.engine.away();
    await h.engine.change(org, 'policy.updated');
    await h.noted(org);
    await h.n.client.request(commands.cancel, {
      org_id: org,
      approval_id: cancelled.approval_id,
      agent_id: cancelled.agent.id,
      key_id: null,
      reason: null,
      correlation_id: null,
    });
    await eventually(async () => (await h.statusOf(late)) === 'timed_out', { within: 30_000 });
    h.engine.judge = () => allows();
    await h.engine.back();
    await h.settled(org);
    expect((await h.events(org)).map(({ type }) => type).sort()).toEqual([
      'approval.cancelled',
      'approval.timed_out',
    ]);
  });

  it('does nothing twice when its event is delivered twice', async () => {
    const org = newId('org');
    const [item] = many(org, 1);
    if (item === undefined) throw new Error('there is an item');
    await h.opened(item);
    const next = policyRef({ name: 'next', version: 2 });
    h.engine.judge = () => asks(next);
    const event = await h.engine.change(org, 'policy.created', next);
    await eventually(async () => (await h.typesOf(item)).length === 2);
    await h.engine.source.publish(event, event);
    await h.settled(org);
    expect(await h.typesOf(item)).toEqual(['approval.opened', 'approval.policy_changed']);
  });
});
