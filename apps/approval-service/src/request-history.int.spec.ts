import {
  approvalServiceCommands as commands,
  type ApprovalView,
  type DecidingOperator,
  type OpenItem,
} from '@agentlattice/contracts';
import { eventually } from '@agentlattice/testkit';
import { newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness } from '../test/approval-harness.js';

let h: ApprovalHarness;
beforeAll(async () => (h = await approvalHarness()));
afterAll(() => h.stop());

let digests = 0;
/** Every action is another one. */
const newDigest = () => String(++digests).padStart(43, 'd');

/** A workspace with one agent and one person. */
async function workspace() {
  const org = newId('org');
  const mia = await h.member(org);
  const agent = { ...requested(org).agent, id: newId('agt') };
  const ask = async (metadata: object | string, changes: Partial<OpenItem> = {}) => {
    const item = requested(org, 600_000, {
      agent,
      action_digest: newDigest(),
      metadata: typeof metadata === 'string' ? metadata : JSON.stringify(metadata),
      ...changes,
    });
    const asked = { ...item, terms: { ...item.terms, approvals_required: 1, ...changes.terms } };
    await h.opened(asked);
    return asked;
  };
  const decide = (item: OpenItem, how: 'approve' | 'deny', seen_ms?: number) => {
    const decision = {
      org_id: org,
      approval_id: item.approval_id,
      operator: mia,
      reason: 'because',
      correlation_id: null,
      ...(seen_ms === undefined ? {} : { seen_ms }),
    };
    return how === 'deny'
      ? h.n.client.request(commands.deny, decision)
      : h.n.client.request(commands.approve, { ...decision, forever_for: null, policy_version: null });
  };
  const approved = async (metadata: object | string) => {
    const item = await ask(metadata);
    await decide(item, 'approve');
    return item;
  };
  const get = (item: OpenItem, viewer: DecidingOperator = mia): Promise<ApprovalView> =>
    h.n.client.request(commands.get_approval, {
      org_id: org,
      approval_id: item.approval_id,
      agent_id: null,
      viewer,
    });
  return { org, mia, agent, ask, decide, approved, get };
}
const kindsOf = ({ cues = [] }: ApprovalView) => cues.map(({ kind }) => kind);

describe('what the agent asked before', () => {
  it('is compared with the request, in the single view and in the queue', async () => {
    const { org, mia, ask, approved, get } = await workspace();
    const first = await ask({ service: 'api' });
    expect(await get(first)).toMatchObject({ cues: [{ kind: 'first_time' }], previous: null });
    let last = first;
    for (const pr_size of [10, 12, 11])
      last = await approved({ service: 'api', region: 'eu', pr_size, api_token: 'one' });
    const now = await ask({ service: 'api', region: 'us', pr_size: 512, api_token: 'two' });
    const compared = {
      previous: {
        approval_id: last.approval_id,
        changed: [
          { field: '/metadata/region', change: 'changed', was: 'eu', masked: false },
          { field: '/metadata/pr_size', change: 'changed', was: 11, masked: false },
          { field: '/metadata/api_token', change: 'changed', was: null, masked: true },
        ],
        changed_truncated: false,
      },
      cues: [
        { kind: 'largest', field: '/metadata/pr_size', params: { value: 512, max: 12, approvals: 3 } },
        { kind: 'new_value', field: '/metadata/region', params: { was: 'eu', times: 3 } },
        { kind: 'new_value', field: '/metadata/api_token', params: { times: 3 } },
      ],
    };
    const view = await get(now);
    expect(view).toMatchObject(compared);
    expect(JSON.stringify(view)).not.toMatch(/"one"|"two"/);
    const { approvals } = await h.n.client.request(commands.list_approvals, {
      org_id: org,
      viewer: mia,
      status: 'pending',
      cursor: null,
      limit: 50,
    });
    expect(approvals.find(({ approval_id }) => approval_id === now.approval_id)).toMatchObject(compared);
  });

  it('is of the same agent and action type alone, and was known when the request ended', async () => {
    const { agent, ask, approved, decide, get } = await workspace();
    const earlier = await approved({ v: 1 });
    const other = await ask({ v: 2 }, { agent: { ...agent, id: newId('agt') } });
    const otherType = await ask({ v: 2 }, { action_type: 'deploy.staging' });
    for (const item of [other, otherType])
      expect(await get(item)).toMatchObject({ previous: null, cues: [{ kind: 'first_time' }] });
    const denied = await ask({ v: 2 });
    await decide(denied, 'deny');
    await approved({ v: 3 });
    expect((await get(denied)).previous).toMatchObject({
      approval_id: earlier.approval_id,
      changed: [{ was: 1 }],
    });
  });

  it('gives no cue and no comparison where its values were erased or are too large', async () => {
    const { org, ask, approved, get } = await workspace();
    for (let i = 0; i < 3; i++) await approved({ region: 'eu' });
    const now = await ask({ region: 'us' });
    expect(kindsOf(await get(now))).toEqual(['new_value']);
    await h.pool.query('UPDATE private_value SET metadata = NULL WHERE org_id = $1 AND approval_id <> $2', [
      org,
      now.approval_id,
    ]);
    expect(await get(now)).toMatchObject({ cues: [], previous: null });
    await approved({ region: 'eu', log: 'x'.repeat(20_000) });
    expect(await get(now)).toMatchObject({ cues: [], previous: null });
  });

  it('counts denials by people, repetitions of one action and approvals in a row', async () => {
    const { ask, decide, approved, get } = await workspace();
    const same = { action_digest: newDigest() };
    for (let i = 0; i < 2; i++) await decide(await ask({ i }, same), 'deny');
    const third = await ask({ i: 2 }, same);
    expect((await get(third)).cues).toMatchObject([
      { kind: 'recent_denials', params: { denied: 2, of: 2 } },
      { kind: 'repeats', params: { times: 3, minutes: 10 } },
    ]);
    for (let i = 0; i < 5; i++) await approved({ i });
    expect((await get(await ask({ i: 9 }))).cues).toEqual([
      { kind: 'last_approved', level: 'calm', field: null, params: { count: 5 } },
    ]);
  });

  it('with escapes that PostgreSQL cannot store in JSON is compared all the same', async () => {
    const { ask, approved, get } = await workspace();
    await approved('{"note":"a\\u0000b"}');
    expect((await get(await ask('{"note":"c"}'))).previous).toMatchObject({
      changed: [{ field: '/metadata/note', was: 'a\u0000b' }],
    });
  });
});

describe('the escalation of a request', () => {
  it('says whom it told, and who is told next and when', async () => {
    const { ask, get } = await workspace();
    const channel = 'chn_01jd7e5sqcfnmrq9yh4qvxw2k3';
    const step = (after: string, contact: string) => ({
      after,
      contacts: [contact],
      channels: [channel],
      repeat: null,
    });
    const { terms } = requested(newId('org'));
    const item = await ask(
      {},
      {
        requested_at: new Date(Date.now() - 60_000).toISOString(),
        terms: { ...terms, escalation: [step('1s', 'first@example.com'), step('8m', 'second@example.com')] },
      },
    );
    const escalated = await eventually(async () => {
      const view = await get(item);
      return view.status === 'escalated' ? view : undefined;
    });
    expect(escalated.escalation).toEqual({
      level: 1,
      told: [{ level: 1, contacts: ['first@example.com'], channels: [channel], at: expect.any(String) }],
      next_at: new Date(Date.parse(item.requested_at) + 8 * 60_000).toISOString(),
      next: { level: 2, contacts: ['second@example.com'], channels: [channel] },
    });
  });
});

it('how long a request was seen is kept with each vote', async () => {
  const { org, ask, decide, mia } = await workspace();
  const tom = await h.member(org);
  const { terms } = requested(org);
  const item = await ask({}, { terms: { ...terms, approvals_required: 2 } });
  await decide(item, 'approve', 4_000);
  const vote = (operator: DecidingOperator, seen_ms: number) =>
    h.n.client.request(commands.approve, {
      org_id: org,
      approval_id: item.approval_id,
      operator,
      reason: null,
      correlation_id: null,
      forever_for: null,
      policy_version: null,
      seen_ms,
    });
  await vote(tom, 2_000);
  const { rows } = await h.pool.query<{ seen_ms: number[]; data: { votes: object[] } }>(
    `SELECT a.seen_ms, e.data FROM approval a JOIN event e ON e.org_id = a.org_id AND e.stream_id = a.approval_id
      WHERE a.org_id = $1 AND e.type = 'approval.approved'`,
    [org],
  );
  expect(rows[0]?.seen_ms).toEqual([4_000, 2_000]);
  expect(rows[0]?.data.votes).toMatchObject([
    { member_id: mia.member_id, seen_ms: 4_000 },
    { member_id: tom.member_id, seen_ms: 2_000 },
  ]);
});
