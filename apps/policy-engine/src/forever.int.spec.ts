import { type CommandRequest, policyEngineCommands as commands } from '@agentlattice/contracts';
import {
  eventually,
  type FakeEventSource,
  fakeEventSource,
  startNats,
  startPostgres,
  type TestNats,
  type TestPostgres,
} from '@agentlattice/testkit';
import { typeid } from 'typeid-js';
import { type EngineFixture, newOrg, openEngineFixture, refusal } from '../test/engine-fixture.js';
import { builder } from '../test/policy-fixture.js';
import { migrations } from './migrations/index.js';

type Request = CommandRequest<typeof commands.allow_forever>;

let postgres: TestPostgres;
let nats: TestNats;
let f: EngineFixture;
let gateway: FakeEventSource;
let approvals: FakeEventSource;

const newMember = () => typeid('mbr').toString();
const member = (org_id: string, member_id: string, role: 'admin' | 'member') => ({
  org_id,
  stream_id: member_id,
  type: 'member.created',
  data: { member_id, role, groups: [] },
});

/** A workspace with an administrator that the engine knows. */
async function workspace() {
  const org = newOrg();
  const admin = newMember();
  await gateway.emit(member(org, admin, 'admin'));
  return { org, admin };
}

const asks = (
  { org, admin }: { org: string; admin: string },
  policy: { id: string; version: number },
  members: Partial<Request> = {},
): Request => ({
  org_id: org,
  approval_id: typeid('apr').toString(),
  operator: { member_id: admin, key_id: null, role: 'admin', via: 'dashboard' },
  policy_id: policy.id,
  policy_version: policy.version,
  action_type: 'deploy.production',
  forever_for: 'policy',
  correlation_id: 'req-9',
  ...members,
});
const allow = (request: Request) => f.client.request(commands.allow_forever, request);

/** The same in the event of the decision. */
const asEvent = (request: Request, byWhom = request.operator.member_id) => ({
  org_id: request.org_id,
  stream_id: request.approval_id,
  type: 'approval.approved',
  correlation_id: request.correlation_id,
  actor: {
    kind: 'operator' as const,
    id: request.operator.member_id,
    key_id: null,
    via: request.operator.via,
  },
  data: {
    approval_id: request.approval_id,
    audit_event_id: typeid('evt').toString(),
    agent: { id: builder.id, name: builder.name, owner_member_id: null },
    action_type: request.action_type,
    policy: { id: request.policy_id, name: 'p', version: request.policy_version, hash: 'a'.repeat(64) },
    action_digest: 'd'.repeat(43),
    votes: [],
    change: null,
    scope: 'forever',
    forever_for: request.forever_for,
    forever_by: byWhom,
    grant_expires_at: '2026-11-25T10:30:00.000Z',
  },
});
const settled = (approvalId: string) =>
  eventually(async () => {
    const { rows } = await f.admin.query<{ result: { changed: boolean; detail: string } | null }>(
      'SELECT result FROM forever_request WHERE approval_id = $1',
      [approvalId],
    );
    return rows[0]?.result ?? undefined;
  });
const policy = (org_id: string, policy_id: string) =>
  f.client.request(commands.get_policy, { org_id, policy_id });

beforeAll(async () => {
  [postgres, nats] = await Promise.all([
    startPostgres({ migrations: { 'policy-engine': migrations } }),
    startNats(),
  ]);
  f = await openEngineFixture(postgres, nats);
  [gateway, approvals] = await Promise.all([
    fakeEventSource(f.gateway, 'gateway'),
    fakeEventSource(f.approvals, 'approval-service'),
  ]);
  await eventually(() => f.fresh());
});
afterAll(async () => {
  await f.close();
  await Promise.all([postgres.stop(), nats.stop()]);
});

describe('an approval for ever', () => {
  it('gives the policy the effect allow with the operator as the actor, and is in force at once', async () => {
    const w = await workspace();
    const made = await f.create(w.org, {
      effect: 'conditional',
      conditions: [{ field: 'pr_size', operator: 'lt', value: 100 }],
      condition_expression: 'metadata.pr_size < 50',
      on_fail: 'deny',
      timeout: '2h',
    });
    const left = await allow(asks(w, made));
    expect(left).toEqual({
      changed: true,
      policy_id: made.id,
      policy_version: 2,
      detail: 'The policy "a policy" allows deploy.production from now on.',
    });
    expect(await f.check(w.org, 'deploy.production', { pr_size: 5_000 })).toMatchObject({
      decision: 'executed',
    });
    expect(await policy(w.org, made.id)).toMatchObject({
      effect: 'allow',
      conditions: [],
      condition_expression: null,
      on_fail: 'require_approval',
      timeout: '2h',
      version: 2,
    });
    const [newest] = (await f.versions(w.org, made.id)).versions;
    expect(newest?.actor).toEqual({ kind: 'operator', id: w.admin, key_id: null, via: 'dashboard' });
    const { rows } = await f.admin.query<{ correlation_id: string }>(
      `SELECT meta->>'correlation_id' AS correlation_id FROM event WHERE stream_id = $1 AND version = 2`,
      [made.id],
    );
    expect(rows).toEqual([{ correlation_id: 'req-9' }]);
  });

  it('makes an exact policy in addition to a wildcard, once, with a unique name', async () => {
    const w = await workspace();
    const wildcard = await f.create(w.org, { action_type: 'deploy.*' });
    const taken = await f.create(w.org, {
      name: 'Always allow deploy.production',
      action_type: 'something.else',
    });
    // Inactive and shadow policies decide nothing, so they do not prevent it.
    await f.create(w.org, { name: 'off', action_type: 'deploy.production', active: false });
    await f.create(w.org, { name: 'trial', action_type: 'deploy.production', mode: 'shadow' });
    const request = asks(w, wildcard, { forever_for: 'action_type' });
    const left = await allow(request);
    expect(left).toMatchObject({ changed: true, policy_version: 1 });
    expect([wildcard.id, taken.id]).not.toContain(left.policy_id);
    const made = await policy(w.org, left.policy_id);
    expect(made).toMatchObject({
      name: `Always allow deploy.production (${request.approval_id})`,
      action_type: 'deploy.production',
      effect: 'allow',
    });
    expect(left.detail).toContain(made.name);
    expect(await policy(w.org, wildcard.id)).toEqual(wildcard);
    expect(await f.check(w.org, 'deploy.production')).toMatchObject({ decision: 'executed' });
    expect(await f.check(w.org, 'deploy.staging')).toMatchObject({ decision: 'requested' });
    // The next request under the wildcard changes nothing.
    expect(await allow(asks(w, wildcard, { forever_for: 'action_type' }))).toEqual({
      changed: false,
      policy_id: made.id,
      policy_version: 1,
      detail: `The policy "${made.name}" is for exactly deploy.production already; nothing was changed.`,
    });
  });

  it('for the exact action type of the policy changes the policy itself', async () => {
    const w = await workspace();
    const made = await f.create(w.org);
    expect(await allow(asks(w, made, { forever_for: 'action_type' }))).toMatchObject({
      changed: true,
      policy_id: made.id,
      policy_version: 2,
    });
  });

  it('does not change a policy that was changed, deleted or allowed meanwhile, and says so', async () => {
    const w = await workspace();
    for (const forever_for of ['policy', 'action_type'] as const) {
      const made = await f.create(w.org, { action_type: 'deploy.*' });
      await f.update(w.org, made.id, { timeout: '1h' });
      expect(await allow(asks(w, made, { forever_for }))).toEqual({
        changed: false,
        policy_id: made.id,
        policy_version: 2,
        detail: expect.stringMatching(/version 2.*under version 1/),
      });
      await f.update(w.org, made.id, { effect: 'allow' });
      expect(await allow(asks(w, { ...made, version: 3 }, { forever_for }))).toMatchObject({
        changed: false,
        policy_version: 3,
        detail: 'The policy "a policy" allows already; nothing was changed.',
      });
      await f.remove(w.org, made.id);
      expect(await allow(asks(w, made, { forever_for }))).toMatchObject({
        changed: false,
        policy_version: null,
        detail: expect.stringMatching(/deleted/),
      });
    }
    const stranger = await f.create(newOrg());
    expect(await allow(asks(w, stranger))).toMatchObject({ changed: false, policy_version: null });
    expect(await policy(await orgOf(stranger.id), stranger.id)).toMatchObject({ version: 1 });
  });

  it('is refused unless the member is an administrator by the claim and by the engine’s own knowledge', async () => {
    const w = await workspace();
    const made = await f.create(w.org);
    const plain = newMember();
    await gateway.emit(member(w.org, plain, 'member'));
    const elsewhere = newMember();
    await gateway.emit(member(newOrg(), elsewhere, 'admin'));
    const operator = (member_id: string, role: 'admin' | 'member') => ({
      operator: { member_id, role, key_id: null, via: 'api' as const },
    });
    for (const members of [
      operator(w.admin, 'member'),
      operator(plain, 'admin'),
      operator(elsewhere, 'admin'),
      operator(newMember(), 'admin'),
    ])
      expect(await refusal(allow(asks(w, made, members)))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await policy(w.org, made.id)).toEqual(made);
    // A member whose event was lost is looked up at the gateway.
    const late = newMember();
    gateway.keep(member(w.org, late, 'admin'));
    expect(await allow(asks(w, made, operator(late, 'admin')))).toMatchObject({ changed: true });
  });

  it('is applied by the event of the decision when no command comes', async () => {
    const w = await workspace();
    const made = await f.create(w.org);
    const request = asks(w, made);
    await approvals.emit(asEvent(request));
    expect(await settled(request.approval_id)).toMatchObject({ changed: true });
    const [newest] = (await f.versions(w.org, made.id)).versions;
    expect(newest).toMatchObject({
      version: 2,
      content: { effect: 'allow' },
      actor: { id: w.admin, via: 'dashboard' },
    });
    // Another vote completed it; the change is still made in the name of the administrator who approved for ever.
    const other = await f.create(w.org, { name: 'other' });
    const second = asks(w, other, {
      operator: { member_id: newMember(), key_id: null, role: 'member', via: 'cli' },
    });
    await approvals.emit(asEvent(second, w.admin));
    await settled(second.approval_id);
    expect((await f.versions(w.org, other.id)).versions[0]?.actor).toMatchObject({
      id: w.admin,
      via: 'api',
    });
  });

  it('by a member who is not an administrator changes nothing, also when an event asks for it', async () => {
    const w = await workspace();
    const made = await f.create(w.org);
    const request = asks(w, made);
    await approvals.emit(asEvent(request, newMember()));
    expect(await settled(request.approval_id)).toMatchObject({ changed: false });
    expect(await policy(w.org, made.id)).toEqual(made);
  });

  it.each(['policy', 'action_type'] as const)(
    'counts once for the %s, whatever comes first and however often: what an admin does later stands',
    async (forever_for) => {
      const w = await workspace();
      for (const first of ['command', 'event', 'both'] as const) {
        const made = await f.create(w.org, { name: first, action_type: `${first}.*` });
        const request = asks(w, made, { forever_for, action_type: `${first}.it` });
        if (first !== 'command') {
          const [event] = await approvals.emit(asEvent(request));
          if (first === 'event') await settled(request.approval_id);
          if (event !== undefined) await approvals.publish(event);
        }
        const answers = await Promise.all(Array.from({ length: 6 }, () => allow(request)));
        const [answer] = answers;
        if (answer === undefined) throw new Error('there is an answer');
        for (const other of answers) expect(other).toEqual(answer);
        expect(answer).toMatchObject({ changed: true });
        // The administrator reverts the change.
        if (forever_for === 'policy') await f.update(w.org, made.id, { effect: 'require_approval' });
        else await f.remove(w.org, answer.policy_id);
        const [again] = await approvals.emit(asEvent(request));
        if (again !== undefined) await approvals.publish(again);
        expect(await allow(request)).toEqual(answer);
        await eventually(async () => {
          const { rows } = await f.admin.query<{ seen: boolean }>(
            `SELECT checked_gpos >= $1 AS seen FROM consumer_position WHERE consumer = 'policy-engine-forever' AND source = 'approval-service'`,
            [again?.gpos],
          );
          return rows[0]?.seen === true;
        });
        expect(await f.check(w.org, `${first}.it`)).toMatchObject({
          decision: 'requested',
          policy: { id: made.id },
        });
        const { versions } = await f.versions(w.org, made.id);
        expect(versions).toHaveLength(forever_for === 'policy' ? 3 : 1);
      }
    },
  );

  it('of many requests of one policy at the same time changes it once', async () => {
    const w = await workspace();
    const made = await f.create(w.org, { action_type: 'deploy.*' });
    for (const forever_for of ['action_type', 'policy'] as const) {
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => allow(asks(w, made, { forever_for }))),
      );
      expect(answers.filter(({ changed }) => changed)).toHaveLength(1);
    }
    expect((await f.list(w.org)).policies).toHaveLength(2);
  });
});

async function orgOf(policyId: string): Promise<string> {
  const { rows } = await f.admin.query<{ org_id: string }>('SELECT org_id FROM policy WHERE policy_id = $1', [
    policyId,
  ]);
  return rows[0]?.org_id ?? '';
}

describe('the plan of an approval for ever', () => {
  const planOf = (request: Request) => {
    const { org_id, approval_id, policy_id, policy_version, action_type, forever_for } = request;
    return f.client.request(commands.plan_forever, {
      org_id,
      approval_id,
      policy_id,
      policy_version,
      action_type,
      forever_for,
    });
  };

  it.each(['policy', 'action_type'] as const)('for the %s is what is done then', async (forever_for) => {
    const w = await workspace();
    const policy = await f.create(w.org, {
      name: 'deployments',
      action_type: 'deploy.*',
      effect: 'conditional',
      conditions: [{ field: 'pr_size', operator: 'lt', value: 100 }],
    });
    const request = asks(w, policy, { forever_for });
    const plan = await planOf(request);
    expect(plan).toMatchObject({
      changes: true,
      current: {
        name: 'deployments',
        version: 1,
        effect: 'conditional',
        action_type: 'deploy.*',
        conditions: [{ field: 'pr_size' }],
      },
    });
    const done = await allow(request);
    expect(done).toMatchObject({ changed: true, detail: plan.detail, policy_version: plan.next?.version });
    const written = await f.client.request(commands.get_policy, { org_id: w.org, policy_id: done.policy_id });
    const { name, effect, action_type } = written;
    expect(plan.next).toEqual({
      name,
      version: written.version,
      is_new: forever_for === 'action_type',
      effect,
      action_type,
    });
  });

  it('is to do nothing where the policies have changed since', async () => {
    const w = await workspace();
    const policy = await f.create(w.org, {
      name: 'deployments',
      action_type: 'deploy.*',
      effect: 'require_approval',
    });
    expect(await planOf(asks(w, { ...policy, version: 2 }))).toMatchObject({
      changes: false,
      detail: expect.stringMatching(/changed in the meantime/),
      current: { version: 1 },
      next: null,
    });
    await f.create(w.org, { name: 'exact', action_type: 'deploy.production', effect: 'require_approval' });
    expect(await planOf(asks(w, policy, { forever_for: 'action_type' }))).toMatchObject({
      changes: false,
      detail: expect.stringMatching(/"exact" is for exactly deploy.production/),
      next: null,
    });
    const gone = { id: typeid('pol').toString(), version: 1 };
    expect(await planOf(asks(w, gone))).toMatchObject({ changes: false, current: null, next: null });
  });
});
