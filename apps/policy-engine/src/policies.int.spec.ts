import { policyEngineCommands as commands } from '@agentlattice/contracts';
import { typeid } from 'typeid-js';
import { actor, change, type EngineFixture, newOrg, refusal } from '../test/engine-fixture.js';
import { type EngineHarness, startEngineHarness } from '../test/engine-harness.js';
import { content } from '../test/policy-fixture.js';

let harness: EngineHarness;
let f: EngineFixture;

beforeAll(async () => {
  harness = await startEngineHarness();
  ({ f } = harness);
});
afterAll(() => harness.stop());

describe('policies', () => {
  it('keep every version, with its hash, its author and its content', async () => {
    const org = newOrg();
    const made = await f.create(org);
    expect(made).toMatchObject({ version: 1, approval_required: true, has_conditions: false, active: true });
    const updated = await f.update(org, made.id, { timeout: '1h' }, 1);
    expect(updated).toMatchObject({ version: 2, timeout: '1h', created_at: made.created_at });
    expect(updated.hash).not.toBe(made.hash);
    expect(await f.update(org, made.id, { timeout: '1h' }, 2)).toEqual(updated);
    await f.update(org, made.id, { active: false });
    await f.update(org, made.id, { active: true });
    expect(await f.client.request(commands.get_policy, { org_id: org, policy_id: made.id })).toMatchObject({
      version: 4,
      hash: updated.hash,
    });
    expect(await f.remove(org, made.id, 4)).toEqual({ policy_id: made.id, version: 5 });
    const { versions: kept } = await f.versions(org, made.id);
    expect(kept.map((one) => [one.version, one.change])).toEqual([
      [5, 'deleted'],
      [4, 'activated'],
      [3, 'deactivated'],
      [2, 'updated'],
      [1, 'created'],
    ]);
    expect(kept.at(-1)).toMatchObject({ hash: made.hash, actor, content: content() });
    const first = await f.versions(org, made.id, null, 2);
    expect(first.versions.map((one) => one.version)).toEqual([5, 4]);
    expect((await f.versions(org, made.id, first.next_cursor)).versions.map((one) => one.version)).toEqual([
      3, 2, 1,
    ]);
    expect((await f.list(org)).policies).toEqual([]);
    expect(await refusal(f.remove(org, made.id))).toMatchObject({ code: 'NOT_FOUND' });
    // The name is free again.
    expect(await f.create(org)).toMatchObject({ version: 1 });
  });

  it('are listed page by page, oldest first', async () => {
    const org = newOrg();
    const names = ['one', 'two', 'three', 'four', 'five'];
    for (const name of names) await f.create(org, { name, action_type: `a.${name}` });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof f.list>> = await f.list(org, { cursor, limit: 2 });
      seen.push(...page.policies.map((policy) => policy.name));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen).toEqual(names);
    expect((await f.list(org, { action_type: 'a.two' })).policies).toHaveLength(1);
    expect(await refusal(f.list(org, { cursor: 'bm9uc2Vuc2U' }))).toMatchObject({
      code: 'VALIDATION_FAILED',
      errors: [{ pointer: '/cursor' }],
    });
  });

  it('are in force at the answering replica when it answers, and deletions are as well', async () => {
    const org = newOrg();
    for (let round = 0; round < 20; round++) {
      const { id } = await f.create(org);
      expect(f.governs(org, 'deploy.production')).toContain(1);
      await f.remove(org, id);
      expect(f.governs(org, 'deploy.production')).toContain(undefined);
    }
  });

  it('of large content fit their lists into messages', async () => {
    const org = newOrg();
    const value = Array.from({ length: 12 }, (_, i) => `${String(i)}${'x'.repeat(4_000)}`);
    const conditions = [{ field: 'a', operator: 'in', value }];
    for (let i = 0; i < 20; i++)
      await f.create(org, { name: `p${String(i)}`, effect: 'conditional', conditions });
    const first = await f.list(org);
    expect(first.next_cursor).not.toBeNull();
    const rest = await f.list(org, { cursor: first.next_cursor });
    expect(first.policies.length + rest.policies.length).toBe(20);
  });

  it('are refused with all their faults, and nothing is written', async () => {
    const org = newOrg();
    const faulty = {
      effect: 'conditional',
      conditions: [
        { field: 'a..b', operator: 'in', value: 1 },
        { field: 'ok', operator: 'matches', value: '(' },
      ],
      condition_expression: 'nobody == 1',
      timeout: '1m',
      escalation: [{ after: '2m' }],
    };
    const policy = {
      ...content(),
      ...faulty,
      escalation: [{ ...faulty.escalation[0], contacts: [], channels: [], repeat: null }],
    };
    const refused = await refusal(
      f.client.request(commands.create_policy, { ...change(org), policy } as never),
    );
    expect(refused.code).toBe('VALIDATION_FAILED');
    expect(refused.errors?.map((fault) => fault.pointer)).toEqual([
      '/escalation/0/after',
      '/conditions/0/field',
      '/conditions/0/value',
      '/conditions/1/value',
      '/condition_expression',
    ]);
    const misspelt = { ...content(), approval_required: 2 };
    expect(
      await refusal(f.client.request(commands.create_policy, { ...change(org), policy: misspelt } as never)),
    ).toMatchObject({ code: 'VALIDATION_FAILED' });
    const { rows } = await f.admin.query('SELECT FROM event WHERE org_id = $1', [org]);
    expect(rows).toHaveLength(0);
    const made = await f.create(org);
    const worse = await refusal(f.update(org, made.id, { condition_expression: 'true', on_fail: 'deny' }));
    expect(worse.errors?.map((fault) => fault.pointer)).toEqual(['/condition_expression', '/on_fail']);
    expect((await f.list(org)).policies).toEqual([made]);
  });

  it('of one workspace do not exist for another', async () => {
    const [org, other] = [newOrg(), newOrg()];
    const { id } = await f.create(org);
    const requests = [
      f.client.request(commands.get_policy, { org_id: other, policy_id: id }),
      f.versions(other, id),
      f.update(other, id, { active: false }),
      f.remove(other, id),
    ];
    for (const request of requests) expect(await refusal(request)).toMatchObject({ code: 'NOT_FOUND' });
    expect((await f.list(other)).policies).toEqual([]);
    expect(await f.check(other, 'deploy.production')).toMatchObject({ denial_reason: 'POLICY_NOT_FOUND' });
    // The same name is free there.
    expect(await f.create(other)).toMatchObject({ version: 1 });
    expect(await refusal(f.remove(org, typeid('pol').toString()))).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('races', () => {
  it('of one name are won once', async () => {
    const org = newOrg();
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => f.create(org)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'POLICY_NAME_TAKEN' });
    const other = await f.create(org, { name: 'other' });
    expect(await refusal(f.update(org, other.id, { name: 'a policy' }))).toMatchObject({
      code: 'POLICY_NAME_TAKEN',
    });
  });

  it('of one version are won once, and the losers get the current version', async () => {
    const org = newOrg();
    const { id } = await f.create(org);
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => f.update(org, id, { timeout: `${String(i + 1)}h` }, 1)),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'PRECONDITION_FAILED', extra: { version: 2 } });
  });

  it('without an expected version all succeed, one after the other', async () => {
    const org = newOrg();
    const { id } = await f.create(org);
    const views = await Promise.all(
      Array.from({ length: 20 }, (_, i) => f.update(org, id, { timeout: `${String(i + 1)}h` })),
    );
    expect(views.map((view) => view.version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 2),
    );
    const { versions: kept } = await f.versions(org, id);
    // Each caller got the result of its own change.
    for (const view of views)
      expect(kept.find((one) => one.version === view.version)).toMatchObject({
        hash: view.hash,
        content: { timeout: view.timeout },
      });
  });
});
