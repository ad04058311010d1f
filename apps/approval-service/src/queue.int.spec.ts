import {
  type ApprovalPage,
  approvalServiceCommands as commands,
  type CommandRequest,
  type DecidingOperator,
  type OpenItem,
  Refused,
} from '@agentlattice/contracts';
import { newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness, newMember } from '../test/approval-harness.js';

let h: ApprovalHarness;
beforeAll(async () => (h = await approvalHarness()));
afterAll(() => h.stop());

type List = CommandRequest<typeof commands.list_approvals>;
const list = (org_id: string, viewer: DecidingOperator | null | undefined, filter: Partial<List> = {}) =>
  h.n.client.request(commands.list_approvals, {
    org_id,
    ...(viewer === undefined ? {} : { viewer }),
    status: 'pending',
    cursor: null,
    limit: 50,
    ...filter,
  });
const get = ({ org_id, approval_id }: OpenItem, viewer: DecidingOperator, agent_id: string | null = null) =>
  h.n.client.request(commands.get_approval, { org_id, approval_id, agent_id, viewer });
const opened = async (org: string, inMs: number, changes: Partial<OpenItem> = {}) => {
  const item = requested(org, inMs, changes);
  await h.opened(item);
  return item;
};
const terms = (changes: Partial<OpenItem['terms']>) => ({
  terms: { ...requested(newId('org')).terms, approvals_required: 1, ...changes },
});
const idsOf = ({ approvals }: ApprovalPage) => approvals.map(({ approval_id }) => approval_id);
const decision = (item: OpenItem, operator: DecidingOperator) => ({
  org_id: item.org_id,
  approval_id: item.approval_id,
  operator,
  reason: null,
  correlation_id: null,
});
const minute = 60_000;

describe('the queue of an operator', () => {
  it('counts all of it by the time that is left, and says the time of the answer', async () => {
    const org = newId('org');
    const mia = await h.member(org);
    const items = [
      await opened(org, 90 * minute),
      await opened(org, 4 * minute),
      await opened(org, 30 * minute),
    ];
    const page = await list(org, mia, { limit: 2 });
    expect(page).toMatchObject({
      total: 3,
      counts: { under_5_minutes: 1, under_1_hour: 1, later: 1 },
      hidden: 0,
    });
    expect(idsOf(page)).toEqual([items[1]?.approval_id, items[2]?.approval_id]);
    const [first] = page.approvals;
    expect(first).toMatchObject({
      can_decide: true,
      cannot_decide_reason: null,
      completes: false,
      now: page.now,
    });
    expect(first?.window_seconds).toBeCloseTo(240, 0);
    const { rows } = await h.pool.query<{ ago: number }>(
      'SELECT extract(epoch FROM clock_timestamp() - $1::timestamptz)::float8 AS ago',
      [page.now],
    );
    expect(Math.abs(rows[0]?.ago ?? Infinity)).toBeLessThan(60);
    const next = await list(org, mia, { limit: 2, cursor: page.next_cursor });
    expect(idsOf(next)).toEqual([items[0]?.approval_id]);
    expect(next).toMatchObject({ next_cursor: null, total: 3 });
  });

  it('with decidable holds what the caller can decide, by the votes and terms as they are now', async () => {
    const org = newId('org');
    const mia = await h.member(org, { groups: ['release'] });
    const tom = await h.member(org);
    const seats = terms({ approver_groups: [{ group: 'release', count: 1 }], approvals_required: 2 });
    const forAll = await opened(org, 2 * minute, terms({}));
    const forRelease = await opened(org, 3 * minute, seats);
    const both = await list(org, mia, { decidable: true });
    expect(idsOf(both)).toEqual([forAll.approval_id, forRelease.approval_id]);
    expect(both).toMatchObject({ total: 2, hidden: 0 });
    const toms = await list(org, tom, { decidable: true });
    expect(idsOf(toms)).toEqual([forAll.approval_id]);
    expect(toms).toMatchObject({ total: 1, hidden: 1, counts: { under_5_minutes: 1 } });
    // Her vote does not complete the quorum, so the request stays open and is not hers any more.
    await h.n.client.request(commands.approve, {
      ...decision(forRelease, mia),
      forever_for: null,
      policy_version: null,
    });
    expect(idsOf(await list(org, mia, { decidable: true }))).toEqual([forAll.approval_id]);
    expect(await get(forRelease, mia)).toMatchObject({
      can_decide: false,
      cannot_decide_reason: { code: 'VOTED' },
      votes: [{ member_id: mia.member_id, groups: ['release'] }],
    });
    const viewer = await h.member(org, { role: 'viewer' });
    expect(await list(org, viewer, { decidable: true })).toMatchObject({
      approvals: [],
      total: 0,
      hidden: 2,
    });
    expect((await list(org, viewer)).approvals[0]).toMatchObject({
      cannot_decide_reason: { code: 'VIEWER' },
    });
  });

  it('has no row of a person of another workspace: such a person reads, and decides nothing', async () => {
    const org = newId('org');
    const item = await opened(org, minute);
    expect(await get(item, newMember())).toMatchObject({
      can_decide: false,
      cannot_decide_reason: { code: expect.stringMatching(/^NOT_/) },
    });
  });

  it('continues at the next deadline when requests end between two pages', async () => {
    const org = newId('org');
    const mia = await h.member(org);
    const items = [1, 2, 3, 4].map((i) => requested(org, i * 10 * minute, terms({})));
    await h.opened(...items);
    const page = await list(org, mia, { limit: 2 });
    await h.n.client.request(commands.deny, decision(items[1] as OpenItem, mia));
    expect(idsOf(await list(org, mia, { limit: 2, cursor: page.next_cursor }))).toEqual(
      items.slice(2).map(({ approval_id }) => approval_id),
    );
  });
});

describe('the queue in memory', () => {
  it('follows what is opened and decided while it is read many times at once', async () => {
    const org = newId('org');
    const mia = await h.member(org);
    const items = Array.from({ length: 12 }, (_, i) => requested(org, (i + 1) * minute, terms({})));
    const read = () => list(org, mia, { decidable: true, limit: 100 });
    await read();
    const steps = items.map(async (item, i) => {
      await h.opened(item);
      await read();
      if (i % 3 === 0) await h.n.client.request(commands.deny, decision(item, mia));
    });
    await Promise.all([...steps, ...Array.from({ length: 20 }, read)]);
    const waiting = items.filter((_, i) => i % 3 !== 0).map(({ approval_id }) => approval_id);
    const page = await read();
    expect(idsOf(page)).toEqual(waiting);
    expect(page).toMatchObject({ total: 8, hidden: 0 });
  });

  it('is read anew when the database holds other requests than its events say, as after a restore', async () => {
    const org = newId('org');
    const mia = await h.member(org);
    const [gone, kept] = [await opened(org, minute), await opened(org, 2 * minute)];
    expect(await list(org, mia)).toMatchObject({ total: 2 });
    await h.pool.query('DELETE FROM open_request WHERE approval_id = $1', [gone.approval_id]);
    const page = await list(org, mia);
    expect([page.total, idsOf(page)]).toEqual([1, [kept.approval_id]]);
  });
});

describe('a search', () => {
  const org = newId('org');
  const agent = (name: string) => ({ ...requested(org).agent, id: newId('agt'), name });
  let mia: DecidingOperator;
  let first: OpenItem;
  let second: OpenItem;
  beforeAll(async () => {
    mia = await h.member(org);
    first = await opened(org, 10 * minute, {
      action_type: 'db.migrate',
      agent: agent('schema-agent'),
      metadata: '{"table":"Größe","token":"hunter2-value"}',
      ...terms({}),
    });
    second = await opened(org, 20 * minute, {
      action_type: 'mail.send',
      agent: agent('mailer'),
      policy: { ...requested(org).policy, name: 'Customer mail' },
      metadata: JSON.stringify({ subject: 'Offer', body: 'x'.repeat(5_000) }),
      ...terms({}),
    });
  });

  it.each([
    ['MIGRATE', () => [first]],
    ['schema', () => [first]],
    ['customer', () => [second]],
    ['gröSSe'.replace('SS', 'ß'), () => [first]],
    ['table', () => [first]],
    ['mail', () => [second]],
    ['offer', () => []],
    ['hunter2', () => []],
    ['a', () => [first, second]],
  ])('finds %s', async (q, wanted) => {
    const page = await list(org, mia, { q });
    expect(idsOf(page)).toEqual(wanted().map(({ approval_id }) => approval_id));
    expect(page.total).toBe(wanted().length);
  });

  it('looks at requests that have ended, newest first', async () => {
    await h.n.client.request(commands.deny, decision(first, mia));
    await h.n.client.request(commands.deny, decision(second, mia));
    expect(idsOf(await list(org, mia, { status: 'decided', q: 'agent' }))).toEqual([first.approval_id]);
    const page = await list(org, mia, { status: 'decided', q: 'a', limit: 1 });
    expect(idsOf(page)).toEqual([second.approval_id]);
    const next = await list(org, mia, { status: 'decided', q: 'a', limit: 1, cursor: page.next_cursor });
    expect(idsOf(next)).toEqual([first.approval_id]);
    expect(next.next_cursor).toBeNull();
    expect(idsOf(await list(org, mia, { status: 'decided' }))).toHaveLength(2);
    expect(idsOf(await list(org, mia, { status: 'pending' }))).toEqual([]);
  });
});

describe('values that look like secrets', () => {
  it('are shown to the agent that sent them and to no operator', async () => {
    const org = newId('org');
    const mia = await h.member(org);
    const item = await opened(org, minute, {
      metadata: '{"nested":{"api_key":"hunter2"},"note":"ghp_0123456789012345678901","service":"api"}',
      data_accessed: '[{"password":"hunter3","table":"users"}]',
      ...terms({}),
    });
    const masked = ['/metadata/nested/api_key', '/metadata/note', '/data_accessed/0/password'];
    const shown = {
      metadata: { nested: { api_key: null }, note: null, service: 'api' },
      data_accessed: [{ password: null, table: 'users' }],
      masked,
      action_digest: item.action_digest,
    };
    expect(await get(item, mia)).toMatchObject(shown);
    expect((await list(org, mia)).approvals[0]).toMatchObject(shown);
    // A gateway of an earlier release does not say who reads.
    expect((await list(org, undefined, { agent_id: item.agent.id })).approvals[0]).toMatchObject(shown);
    const own = await get(item, mia, item.agent.id);
    expect(own.metadata).toEqual(JSON.parse(item.metadata));
    expect(own).toMatchObject({ can_decide: false, cannot_decide_reason: { code: 'AGENT_KEY' } });
    expect(own.masked).toBeUndefined();
    const [listed] = (await list(org, null, { agent_id: item.agent.id })).approvals;
    expect(listed?.data_accessed).toEqual(JSON.parse(item.data_accessed));
    const decided = await h.n.client.request(commands.deny, decision(item, mia));
    expect(decided).toMatchObject(shown);
  });
});

describe('a decision that comes too late', () => {
  it('says until when it could be made, before and after the request is ended', async () => {
    const org = newId('org');
    const mia = await h.member(org);
    const item = await opened(org, 1, terms({}));
    const refused = async () => {
      const error = await h.n.client
        .request(commands.deny, decision(item, mia))
        .catch((reason: unknown) => reason);
      if (!(error instanceof Refused)) throw new Error('it was not refused');
      return error;
    };
    for (let closed = false; !closed;) {
      const { code, extra } = await refused();
      expect({ code, extra }).toMatchObject({
        code: 'APPROVAL_TIMED_OUT',
        extra: { timeout_at: item.timeout_at },
      });
      closed = extra?.['decision'] !== undefined;
      if (closed)
        expect(extra).toMatchObject({ decision: { status: 'timed_out', denial_reason: 'approval_timeout' } });
    }
  });
});
