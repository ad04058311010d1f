import {
  approvalServiceCommands as commands,
  type CommandRequest,
  type DecidingOperator,
  type OpenItem,
} from '@agentlattice/contracts';
import { eventually } from '@agentlattice/testkit';
import { newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness } from '../test/approval-harness.js';

let h: ApprovalHarness;
beforeAll(async () => (h = await approvalHarness()));
afterAll(() => h.stop());

const minute = 60_000;
const decision = ({ org_id, approval_id }: OpenItem, operator: DecidingOperator) => ({
  org_id,
  approval_id,
  operator,
  reason: 'too risky',
  correlation_id: null,
});
const deny = (item: OpenItem, by: DecidingOperator) => h.n.client.request(commands.deny, decision(item, by));
const approve = (item: OpenItem, by: DecidingOperator, seen_ms?: number) =>
  h.n.client.request(commands.approve, {
    ...decision(item, by),
    forever_for: null,
    policy_version: null,
    ...(seen_ms === undefined ? {} : { seen_ms }),
  });
const ask = async (org: string, inMs: number, changes: Partial<OpenItem> = {}) => {
  const item = requested(org, inMs, changes);
  const asked = { ...item, terms: { ...item.terms, approvals_required: 1, ...changes.terms } };
  await h.opened(asked);
  return asked;
};

describe('the overview', () => {
  const overview = (
    org_id: string,
    range: CommandRequest<typeof commands.overview>['range'] = '14d',
    tz = 'UTC',
  ) => h.n.client.request(commands.overview, { org_id, range, tz }, { timeoutMs: 10_000 });

  it('counts how requests end, how long people take, and what waits', async () => {
    const org = newId('org');
    const mia = await h.member(org);
    const [mail, other] = ['mail', 'other'].map((name) => ({
      ...requested(org).policy,
      id: newId('pol'),
      name,
    }));
    const ofMail = mail === undefined ? {} : { policy: mail };
    for (const seen of [1_000, 2_000, 9_000]) await approve(await ask(org, 20 * minute, ofMail), mia, seen);
    await deny(await ask(org, 20 * minute, ofMail), mia);
    const late = await ask(org, 1, other === undefined ? {} : { policy: other });
    await ask(org, 2 * minute);
    await ask(org, 2 * 60 * minute);
    const figures = await eventually(async () => {
      const read = await overview(org);
      return read.timed_out === 1 ? read : undefined;
    });
    expect(figures).toMatchObject({
      range: '14d',
      bucket: 'day',
      waiting: { total: 2, under_5_minutes: 1, escalated: 0 },
      asked: 7,
      approved: 3,
      denied: 1,
      timed_out: 1,
      released: 0,
      cancelled: 0,
    });
    expect(figures.median_seconds).toBeGreaterThanOrEqual(0);
    expect(figures.series).toHaveLength(14);
    expect(figures.series.at(-1)).toMatchObject({ asked: 7, open: 2, approved: 3, denied: 1, timed_out: 1 });
    expect(figures.series.at(-1)?.timeout_seconds).toBeCloseTo(20 * 60, -1);
    expect(figures.series[0]).toMatchObject({ asked: 0, median_seconds: null });
    expect(figures.policies[0]).toEqual({
      policy_id: mail?.id,
      name: 'mail',
      asked: 4,
      denied: 1,
      timed_out: 0,
      votes_seen: 3,
      median_seen_ms: 2_000,
      advice: null,
    });
    expect(figures.policies.find(({ policy_id }) => policy_id === late.policy.id)).toMatchObject({
      timed_out: 1,
      votes_seen: 0,
      median_seen_ms: null,
    });
    expect(figures.hours.reduce((sum, { asked }) => sum + asked, 0)).toBe(7);
    expect(figures.hours.reduce((sum, { timed_out }) => sum + timed_out, 0)).toBe(1);
  });

  it('counts by the hours and days of a time zone', async () => {
    const org = newId('org');
    const hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
    await ask(org, 20 * minute, { requested_at: hour.toISOString() });
    await ask(org, 20 * minute, { requested_at: new Date(hour.getTime() - 30 * 3_600_000).toISOString() });
    const utc = await overview(org, '24h');
    expect(utc).toMatchObject({
      bucket: 'hour',
      asked: 1,
      from: new Date(hour.getTime() - 23 * 3_600_000).toISOString(),
    });
    expect(utc.series).toHaveLength(24);
    expect(utc.series.at(-1)).toMatchObject({ start: hour.toISOString(), asked: 1 });
    // Always nine hours ahead.
    const tokyo = await overview(org, '90d', 'Asia/Tokyo');
    expect(tokyo.asked).toBe(2);
    expect(tokyo.series).toHaveLength(90);
    expect(tokyo.series.every(({ start }) => start.endsWith('T15:00:00.000Z'))).toBe(true);
    const there = new Date(hour.getTime() + 9 * 3_600_000);
    expect(tokyo.hours).toContainEqual({
      weekday: there.getUTCDay() === 0 ? 7 : there.getUTCDay(),
      hour: there.getUTCHours(),
      asked: 1,
      timed_out: 0,
    });
  });

  it('of a workspace without requests has no times', async () => {
    expect(await overview(newId('org'), '24h')).toMatchObject({
      asked: 0,
      median_seconds: null,
      p95_seconds: null,
      waiting: { total: 0 },
      policies: [],
      hours: [],
    });
  });
});

describe('what an approval forever reaches', () => {
  const reach = (
    { org_id, approval_id }: OpenItem,
    viewer: DecidingOperator,
    forever_for: 'policy' | 'action_type' = 'policy',
  ) => h.n.client.request(commands.forever_reach, { org_id, approval_id, viewer, forever_for });

  it('is the requests under the same policy, their denials and agents, and what is released', async () => {
    const org = newId('org');
    const ada = await h.member(org, { role: 'admin' });
    const policy = { ...requested(org).policy, id: newId('pol') };
    const agents = ['one', 'two'].map((name) => ({ ...requested(org).agent, id: newId('agt'), name }));
    const under = (n: number, action_type = 'deploy.eu'): Partial<OpenItem> => ({
      policy,
      action_type,
      ...(agents[n] === undefined ? {} : { agent: agents[n] }),
    });
    const denied = await ask(org, 10 * minute, under(0));
    await deny(denied, ada);
    await approve(await ask(org, 10 * minute, under(0, 'deploy.us')), ada);
    const item = await ask(org, 10 * minute, under(1));
    const sameType = await ask(org, 12 * minute, under(0));
    const otherType = await ask(org, 11 * minute, under(1, 'deploy.us'));
    // Under another policy.
    await ask(org, 10 * minute);
    expect(await reach(item, ada)).toMatchObject({
      policy,
      action_type: 'deploy.eu',
      denials_30d: {
        asked: 5,
        denied: 1,
        last: { approval_id: denied.approval_id, reason: 'too risky', resolved_by: ada.member_id },
      },
      agents_total: 2,
      waiting: [{ approval_id: otherType.approval_id }, { approval_id: sameType.approval_id }],
      waiting_total: 2,
      can_decide: true,
      completes: true,
    });
    expect(await reach(item, ada, 'action_type')).toMatchObject({
      denials_30d: { asked: 3, denied: 1 },
      waiting: [{ approval_id: sameType.approval_id, agent: { name: 'one' } }],
      waiting_total: 1,
    });
  });

  it('says that the approval alone does not complete a quorum, and that a decided request is decided', async () => {
    const org = newId('org');
    const ada = await h.member(org, { role: 'admin' });
    const { terms } = requested(org);
    const two = await ask(org, minute, { terms: { ...terms, approvals_required: 2 } });
    expect(await reach(two, ada)).toMatchObject({
      can_decide: true,
      completes: false,
      denials_30d: { denied: 0, last: null },
      waiting: [],
      waiting_total: 0,
    });
    await deny(two, ada);
    expect(await reach(two, ada)).toMatchObject({ cannot_decide_reason: { code: 'DECIDED' } });
    await expect(reach({ ...two, approval_id: newId('apr') }, ada)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
