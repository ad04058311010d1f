import {
  approvalServiceCommands as approvals,
  type OpenItem,
  policyEngineCommands as policies,
  type PolicyPatch,
  type PolicyView,
  policyInput,
} from '@agentlattice/contracts';
import { eventually, type Stack, startStack, testPool } from '@agentlattice/testkit';
import fc from 'fast-check';
import pg from 'pg';
import { neighbours, type Neighbours, newId, requested } from '../test/approval-fixture.js';

const actor = { kind: 'operator', id: null, key_id: null, via: 'api' } as const;

describe('policies of the real engine and open requests', () => {
  let stack: Stack;
  let n: Neighbours;
  let admin: pg.Pool;
  beforeAll(async () => {
    stack = await startStack({ services: ['policy-engine', 'approval-service'], samplePolicy: false });
    n = await neighbours(stack.natsUrl);
    await stack.startServices();
    admin = testPool({ connectionString: stack.adminUrl });
  });
  afterAll(async () => {
    await admin.end();
    await n.close();
    await stack.stop();
  });

  const by = (org_id: string) => ({ org_id, actor, correlation_id: null });
  /** Only policies of earlier releases are in shadow mode. */
  const create = (
    org: string,
    { mode = 'enforce', ...members }: Record<string, unknown> & { mode?: 'enforce' | 'shadow' },
  ) =>
    n.client.request(policies.create_policy, {
      ...by(org),
      policy: {
        ...policyInput.parse({
          name: 'production deployments',
          action_type: 'deploy.production',
          effect: 'require_approval',
          ...members,
        }),
        mode,
      },
    });
  const update = (org: string, { id }: Pick<PolicyView, 'id'>, patch: PolicyPatch) =>
    n.client.request(policies.update_policy, { ...by(org), policy_id: id, patch, expected_version: null });
  const remove = (org: string, { id }: Pick<PolicyView, 'id'>) =>
    n.client.request(policies.delete_policy, { ...by(org), policy_id: id, expected_version: null });
  const check = (org_id: string, { action_type, metadata }: Pick<OpenItem, 'action_type' | 'metadata'>) =>
    n.client.request(policies.check, {
      org_id,
      agent: null,
      action_type,
      metadata: JSON.parse(metadata) as Record<string, unknown>,
      data_accessed: [],
    });
  const underPolicy = (org: string, policy: PolicyView, changes: Partial<OpenItem> = {}) => {
    const { id, name, version, hash, on_removed, approvals_required } = policy;
    const item = requested(org, 600_000, { policy: { id, name, version, hash }, ...changes });
    return { ...item, terms: { ...item.terms, on_removed, approvals_required } };
  };
  const open = (...items: OpenItem[]) => n.openUntilAnswered(...items);
  const view = ({ org_id, approval_id }: OpenItem) =>
    n.client.request(approvals.get_approval, { org_id, approval_id, agent_id: null });
  /** Every event of the engine reached the approval service and was handled. */
  const settled = (org: string) =>
    eventually(
      async () => {
        const { rows } = await admin.query<{ settled: boolean }>(
          `SELECT (SELECT count(*) FROM policy_engine.event WHERE org_id = $1)
                = (SELECT count(*) FROM approval_service.policy_change WHERE org_id = $1 AND spread)
              AND NOT EXISTS (SELECT FROM approval_service.rejudging WHERE org_id = $1) AS settled`,
          [org],
        );
        return rows[0]?.settled === true;
      },
      { within: 60_000 },
    );

  it.each([
    ['deactivated', 'approve', 'approved'],
    ['deactivated', 'deny', 'denied'],
    ['deactivated', 'keep', 'pending'],
    ['deleted', 'approve', 'approved'],
    ['deleted', 'deny', 'denied'],
    ['put into shadow', 'approve', 'approved'],
    ['put into shadow', 'deny', 'denied'],
  ] as const)('a policy %s with on_removed %s leaves them %s', async (how, on_removed, status) => {
    const org = newId('org');
    const policy = await create(org, { on_removed });
    const item = underPolicy(org, policy);
    await open(item);
    if (how === 'deleted') await remove(org, policy);
    else await update(org, policy, how === 'deactivated' ? { active: false } : { mode: 'shadow' });
    await settled(org);
    const seen = await view(item);
    expect(seen).toMatchObject({ status, resolved_by: null });
    if (status === 'pending') expect(seen.reason).toBeNull();
    else expect(seen.reason).toMatch(/so nothing governs deploy\.production any more\.$/);
  });

  it('another policy that denies, or requires approval, governs after one was removed', async () => {
    for (const [effect, status] of [
      ['deny', 'denied'],
      ['require_approval', 'pending'],
    ] as const) {
      const org = newId('org');
      const policy = await create(org, {});
      const item = underPolicy(org, policy);
      await open(item);
      const other = await create(org, {
        name: 'everything',
        action_type: '*',
        effect,
        approvals_required: 3,
      });
      expect((await view(item)).status).toBe('pending');
      await remove(org, policy);
      await settled(org);
      const seen = await view(item);
      expect(seen.status).toBe(status);
      if (status === 'pending')
        expect(seen).toMatchObject({
          policy: { id: other.id, version: 1 },
          approvals: { need: 3 },
          timeout_at: item.timeout_at,
        });
      else expect(seen).toMatchObject({ denial_reason: 'POLICY_CHANGED', resolved_by: null });
    }
  });

  it('a more specific policy governs, judged by the content and the time of the submission', async () => {
    const org = newId('org');
    const policy = await create(org, { action_type: 'deploy.*' });
    const judged = (hour: number, pr_size: number) =>
      underPolicy(org, policy, {
        judged_at: `2027-11-25T${String(hour).padStart(2, '0')}:00:00.000Z`,
        metadata: JSON.stringify({ pr_size }),
      });
    const items = [judged(9, 5), judged(22, 5), judged(9, 500)];
    await open(...items);
    await create(org, {
      name: 'small ones by day',
      effect: 'conditional',
      condition_expression: 'metadata.pr_size < 100 && time.hour >= 8 && time.hour < 18',
    });
    await settled(org);
    const views = await Promise.all(items.map(view));
    expect(views.map(({ status }) => status)).toEqual(['approved', 'pending', 'pending']);
    expect(views[2]).toMatchObject({
      policy: { name: 'small ones by day' },
      conditions_evaluated: [{ field: 'expression', result: false }],
    });
  });

  it('no request stays open that no longer requires approval', async () => {
    const patterns = ['deploy.production', 'deploy.*', '*'];
    const types = ['deploy.production', 'deploy.staging', 'mail.send'];
    const which = fc.nat(2);
    const content = fc.record(
      {
        action_type: fc.constantFrom(...patterns),
        effect: fc.constantFrom('allow', 'deny', 'require_approval', 'require_approval' as const),
        on_removed: fc.constantFrom('approve', 'deny', 'keep' as const),
        active: fc.boolean(),
        mode: fc.constantFrom('enforce', 'enforce', 'shadow' as const),
      },
      { requiredKeys: ['action_type', 'effect'] },
    );
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ does: fc.constant('open' as const), type: which }) },
      { weight: 2, arbitrary: fc.record({ does: fc.constant('create' as const), content }) },
      { weight: 2, arbitrary: fc.record({ does: fc.constant('update' as const), which, content }) },
      { weight: 1, arbitrary: fc.record({ does: fc.constant('remove' as const), which }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 14 }), async (steps) => {
        const org = newId('org');
        let made: PolicyView[] = [await create(org, { name: 'first', action_type: '*' })];
        const items: OpenItem[] = [];
        for (const [i, one] of steps.entries()) {
          const target = 'which' in one ? made[one.which % Math.max(1, made.length)] : undefined;
          if (one.does === 'create') made.push(await create(org, { ...one.content, name: `p${String(i)}` }));
          else if (one.does === 'update' && target !== undefined) await update(org, target, one.content);
          else if (one.does === 'remove' && target !== undefined) {
            await remove(org, target);
            made = made.filter((policy) => policy !== target);
          } else if (one.does === 'open') {
            const item = requested(org, 600_000, { action_type: types[one.type] ?? '' });
            const { decision, policy } = await check(org, item);
            if (decision !== 'requested' || policy === null) continue;
            const governing = await n.client.request(policies.get_policy, {
              org_id: org,
              policy_id: policy.id,
            });
            const { action_type, judged_at } = item;
            items.push(underPolicy(org, governing, { action_type, judged_at }));
            // Not awaited: it may be opened during the next change.
            n.open(...items.slice(-1));
          }
        }
        await eventually(() => items.every((item) => n.answers.get(item.item_id)?.[0]?.outcome));
        await settled(org);
        for (const item of items) {
          const { status, policy: shown } = await view(item);
          const { id, name, version, hash } = shown;
          if (status !== 'pending') continue;
          const now = await check(org, item);
          if (now.denial_reason === 'POLICY_NOT_FOUND') {
            const { rows } = await admin.query<{ on_removed: string }>(
              `SELECT n.on_removed FROM approval_service.approval a
                 JOIN approval_service.policy_change n USING (org_id, policy_id)
                WHERE a.approval_id = $1 ORDER BY n.seq DESC LIMIT 1`,
              [item.approval_id],
            );
            expect(rows).toEqual([{ on_removed: 'keep' }]);
          } else expect(now).toMatchObject({ decision: 'requested', policy: { id, name, version, hash } });
        }
      }),
      { numRuns: 25, endOnFailure: true },
    );
  });

  it('loses no request and ends none twice when both services are killed meanwhile', async () => {
    const org = newId('org');
    const policy = await create(org, {});
    const items = Array.from({ length: 1_500 }, () => underPolicy(org, policy));
    await open(...items);
    const ended = async () => {
      const { rows } = await admin.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM approval_service.approval WHERE org_id = $1 AND status = 'approved'`,
        [org],
      );
      return rows[0]?.n ?? 0;
    };
    await update(org, policy, { effect: 'allow' });
    for (const service of ['approval-service', 'policy-engine', 'approval-service']) {
      const before = await ended();
      await eventually(async () => (await ended()) > before || (await ended()) === items.length, {
        within: 60_000,
      });
      stack.kill(service);
      await stack.ready(service);
    }
    await eventually(async () => (await ended()) === items.length, { within: 60_000 });
    const { rows } = await admin.query<{ n: number; ends: number }>(
      `SELECT count(*)::int AS n, count(DISTINCT stream_id)::int AS ends
         FROM approval_service.event WHERE org_id = $1 AND type = 'approval.approved'`,
      [org],
    );
    expect(rows).toEqual([{ n: items.length, ends: items.length }]);
    await settled(org);
  });
});
