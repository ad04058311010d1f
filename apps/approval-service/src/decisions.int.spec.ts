import {
  approvalServiceCommands as commands,
  type ApprovalView,
  type CommandRequest,
  type DecidingOperator,
  type OpenItem,
  Refused,
} from '@agentlattice/contracts';
import { CommandClient } from '@agentlattice/messaging';
import { eventually } from '@agentlattice/testkit';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness, newMember } from '../test/approval-harness.js';

let harness: ApprovalHarness;
beforeAll(async () => (harness = await approvalHarness()));
afterAll(() => harness.stop());

const org = newId('org');
const one = ({ org_id, approval_id }: OpenItem) => ({ org_id, approval_id });
const request = (terms: Partial<OpenItem['terms']> = {}, inMs = 60_000, changes: Partial<OpenItem> = {}) => {
  const item = requested(org, inMs, changes);
  return { ...item, terms: { ...item.terms, approvals_required: 1, ...terms } };
};
const opened = async (...of: Parameters<typeof request>) => {
  const item = request(...of);
  await harness.opened(item);
  return item;
};
type Approve = CommandRequest<typeof commands.approve>;
const approve = (item: OpenItem, operator: DecidingOperator, changes: Partial<Approve> = {}) =>
  harness.n.client.request(commands.approve, {
    ...one(item),
    operator,
    reason: null,
    correlation_id: null,
    forever_for: null,
    policy_version: null,
    ...changes,
  });
const deny = (item: OpenItem, operator: DecidingOperator, reason: string | null = null) =>
  harness.n.client.request(commands.deny, { ...one(item), operator, reason, correlation_id: null });
const withdraw = (item: OpenItem, operator: DecidingOperator) =>
  harness.n.client.request(commands.withdraw_vote, { ...one(item), operator, correlation_id: null });
const cancel = (item: OpenItem, agent_id = item.agent.id, reason: string | null = null) =>
  harness.n.client.request(commands.cancel, {
    ...one(item),
    agent_id,
    key_id: null,
    reason,
    correlation_id: null,
  });
const status = (item: OpenItem) =>
  harness.n.client.request(commands.approval_status, { ...one(item), agent_id: item.agent.id });
const view = (item: OpenItem) =>
  harness.n.client.request(commands.get_approval, { ...one(item), agent_id: null });
const refusal = (answer: Promise<unknown>): Promise<Refused> =>
  answer.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => (error instanceof Refused ? error : Promise.reject(error as Error)),
  );

describe('a decision', () => {
  it('is on disk, names its operator, and wakes the waiting gateway', async () => {
    const [item, anna] = await Promise.all([opened(), harness.member(org)]);
    const decided = (await approve(
      item,
      { ...anna, via: 'dashboard' },
      { reason: 'looks good' },
    )) as ApprovalView;
    expect(decided).toMatchObject({
      status: 'approved',
      scope: 'once',
      reason: 'looks good',
      denial_reason: null,
      resolved_by: anna.member_id,
      time_left_seconds: 0,
      approvals: { have: 1, need: 1 },
      seats_open: [],
      votes: [{ member_id: anna.member_id, decision: 'approve', reason: 'looks good' }],
      history: [
        { type: 'approval.opened' },
        {
          type: 'approval.approved',
          operator: { id: anna.member_id, via: 'dashboard' },
          reason: 'looks good',
          note: null,
        },
      ],
    });
    expect(await view(item)).toEqual(decided);
    expect(harness.n.wakes).toContain(item.approval_id);
    expect(await status(item)).toMatchObject({ status: 'approved', resolved_by: anna.member_id });
  });

  it('does not change the answer to a repeated submission', async () => {
    // Its own workspace, whose members do not change, because the answer contains how many may decide now.
    const alone = newId('org');
    const anna = await harness.member(alone);
    const known = () => harness.pool.query('SELECT FROM member WHERE org_id = $1', [alone]);
    await eventually(async () => (await known()).rowCount === 1);
    const item = await opened({}, 60_000, { org_id: alone });
    await deny(item, anna);
    const again = { ...item, item_id: 'again', replayed: true };
    await harness.opened(again);
    expect(harness.n.answers.get('again')?.[0]?.outcome).toEqual(
      harness.n.answers.get(item.item_id)?.[0]?.outcome,
    );
    expect((await status(item)).grant).toBeNull();
  });

  it('is made once when fifty people decide at once; the others get that decision', async () => {
    const people = await Promise.all(Array.from({ length: 50 }, () => harness.member(org)));
    for (let round = 0; round < 5; round++) {
      const item = await opened();
      const answers = await Promise.allSettled(
        people.map((person, i) => (i % 2 === 0 ? approve(item, person) : deny(item, person, 'no'))),
      );
      const winners = answers.flatMap((answer) =>
        answer.status === 'fulfilled' ? [answer.value as ApprovalView] : [],
      );
      expect(winners).toHaveLength(1);
      const [{ status: how, resolved_by, resolved_at, reason, denial_reason } = await view(item)] = winners;
      for (const answer of answers.filter((other) => other.status === 'rejected'))
        expect(answer.reason).toMatchObject({
          code: 'APPROVAL_ALREADY_DECIDED',
          extra: { decision: { status: how, resolved_by, resolved_at, reason, denial_reason } },
        });
      expect(await harness.typesOf(item)).toHaveLength(2);
    }
  });

  it('and the deadline never both end a request, and no request is decided at or after its deadline', async () => {
    const anna = await harness.member(org);
    const items = Array.from({ length: 80 }, (_, i) => request({}, i * 8));
    await harness.opened(...items);
    const answers = await Promise.all(
      items.map((item) => approve(item, anna).catch((error: unknown) => error)),
    );
    for (const said of answers) if (said instanceof Refused) expect(said.code).toBe('APPROVAL_TIMED_OUT');
    await eventually(async () =>
      (await Promise.all(items.map(harness.typesOf))).every((types) => types.length > 1),
    );
    const { rows } = await harness.pool.query<{ terminals: number; late: boolean }>(
      `SELECT count(*)::int AS terminals,
              bool_or(e.type = 'approval.approved' AND e.occurred_at >= a.deadline_at) AS late
         FROM event e JOIN approval a ON a.org_id = e.org_id AND a.approval_id = e.stream_id
        WHERE e.stream_id = ANY ($1) AND e.type <> 'approval.opened' GROUP BY e.stream_id`,
      [items.map((item) => item.approval_id)],
    );
    expect(rows).toHaveLength(items.length);
    expect(rows.every(({ terminals, late }) => terminals === 1 && !late)).toBe(true);
  });

  it('is refused with the end of a request that timed out', async () => {
    const [item, anna] = await Promise.all([opened({}, -1_000), harness.member(org)]);
    expect(await refusal(approve(item, anna))).toMatchObject({
      code: 'APPROVAL_TIMED_OUT',
      extra: {
        decision: { status: 'timed_out', resolved_by: null, denial_reason: 'approval_timeout' },
      },
    });
  });
});

describe('a quorum', () => {
  it('counts people, not keys, and fills the seats of groups', async () => {
    const item = await opened({
      approvals_required: 2,
      approver_groups: [
        { group: 'legal', count: 1 },
        { group: 'security', count: 1 },
      ],
    });
    const both = await harness.member(org, { groups: ['legal', 'security'] });
    const legal = await harness.member(org, { groups: ['legal'] });
    const nobody = await harness.member(org, { groups: ['sales'] });
    expect(await refusal(approve(item, nobody))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await approve(item, both, { reason: 'fine' })).toEqual({
      status: 'pending',
      approval_id: item.approval_id,
      approvals: { have: 1, need: 2 },
      denials: { have: 0, need: 1 },
      seats_open: [{ group: 'security', count: 1 }],
    });
    const otherKey = { ...both, key_id: newMember().key_id };
    expect(await refusal(approve(item, otherKey))).toMatchObject({ code: 'ALREADY_VOTED' });
    expect(await refusal(withdraw(item, legal))).toMatchObject({ code: 'NO_VOTE' });
    expect((await view(item)).votes).toMatchObject([{ member_id: both.member_id, reason: 'fine' }]);
    expect(await withdraw(item, otherKey)).toMatchObject({ approvals: { have: 0, need: 2 } });
    await approve(item, legal);
    expect(await approve(item, both)).toMatchObject({ status: 'approved', resolved_by: both.member_id });
    expect(await harness.typesOf(item)).toEqual([
      'approval.opened',
      'approval.vote_cast',
      'approval.vote_withdrawn',
      'approval.vote_cast',
      'approval.approved',
    ]);
  });

  it('counts every vote when all vote at once', async () => {
    const item = await opened({ approvals_required: 20 });
    const people = await Promise.all(Array.from({ length: 20 }, () => harness.member(org)));
    const answers = await Promise.all(people.map((person) => approve(item, person)));
    expect(answers.filter(({ status: how }) => how === 'approved')).toHaveLength(1);
    const { votes } = await view(item);
    expect(new Set(votes.map((vote) => vote.member_id)).size).toBe(20);
  });
});

describe('the person who decides', () => {
  it('has the role that this service knows, not the one that the gateway claims', async () => {
    const item = await opened();
    const viewer = await harness.member(org, { role: 'viewer' });
    expect(await refusal(approve(item, { ...viewer, role: 'admin' }))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await refusal(deny(item, viewer))).toMatchObject({ code: 'FORBIDDEN' });
    const { groups: _none, ...stranger } = newMember();
    expect(await refusal(approve(item, stranger))).toMatchObject({ code: 'FORBIDDEN' });
    const elsewhere = await harness.member(newId('org'));
    expect(await refusal(approve(item, elsewhere))).toMatchObject({ code: 'FORBIDDEN' });
    const late = await harness.member(org, {}, new Date(Date.now() + 60_000));
    expect(await refusal(approve(item, late))).toMatchObject({ code: 'FORBIDDEN' });
    const missing = { ...item, approval_id: newId('apr') };
    expect(await refusal(approve(missing, stranger))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await harness.typesOf(item)).toEqual(['approval.opened']);
  });

  it('is known at once even if the event of the new member was lost', async () => {
    const item = await opened();
    const { groups, ...anna } = newMember();
    harness.gateway.keep({
      org_id: org,
      stream_id: anna.member_id,
      type: 'member.created',
      data: { member_id: anna.member_id, role: anna.role, groups },
      occurred_at: new Date(Date.now() - 60_000),
    });
    expect(await approve(item, anna)).toMatchObject({ status: 'approved' });
  });

  it('approves forever only as an administrator, and only the version that was read', async () => {
    const item = await opened();
    const [anna, admin] = [await harness.member(org), await harness.member(org, { role: 'admin' })];
    const forever = { forever_for: 'policy', policy_version: item.policy.version } as const;
    expect(await refusal(approve(item, anna, forever))).toMatchObject({ code: 'FORBIDDEN' });
    const lesserKey = { ...admin, role: 'member' } as const;
    expect(await refusal(approve(item, lesserKey, forever))).toMatchObject({ code: 'FORBIDDEN' });
    const stale = { ...forever, policy_version: item.policy.version + 1 };
    expect(await refusal(approve(item, admin, stale))).toMatchObject({ code: 'POLICY_CHANGED' });
    expect(await approve(item, admin, forever)).toMatchObject({ status: 'approved', scope: 'forever' });
  });
});

describe('the grant of an approved request', () => {
  it('names the approved action, can be verified with the public key, and is the same at every reading', async () => {
    const [item, anna] = await Promise.all([opened(), harness.member(org)]);
    expect((await status(item)).grant).toBeNull();
    const { resolved_at } = (await approve(item, anna)) as ApprovalView;
    const { grant } = await status(item);
    expect((await status(item)).grant).toBe(grant);
    const keys = await harness.n.client.request(commands.jwks, {});
    const { payload } = await jwtVerify(
      grant ?? '',
      createLocalJWKSet(keys as Parameters<typeof createLocalJWKSet>[0]),
      { algorithms: ['EdDSA'], issuer: 'agentlattice', subject: item.agent.id },
    );
    const iat = Math.floor(Date.parse(resolved_at ?? '') / 1_000);
    expect(payload).toEqual({
      iss: 'agentlattice',
      sub: item.agent.id,
      org_id: org,
      approval_id: item.approval_id,
      event_id: item.audit_event_id,
      action_type: item.action_type,
      action_digest: item.action_digest,
      iat,
      exp: iat + 900,
      jti: item.approval_id,
    });
  });
});

describe('the reason of a decision', () => {
  it('is stored apart from the events, with any characters', async () => {
    const item = await opened({ approvals_required: 2, denials_required: 2 });
    const [anna, ben] = [await harness.member(org), await harness.member(org)];
    await approve(item, anna);
    const decided = await deny(item, ben, 'secret-words \0 \ud800');
    expect(decided).toMatchObject({ status: 'pending' });
    const { rows } = await harness.pool.query<{ event_id: string; text: string }>(
      'SELECT event_id, data::text || meta::text AS text FROM event WHERE stream_id = $1 ORDER BY version',
      [item.approval_id],
    );
    expect(rows.map(({ text }) => text).join()).not.toContain('secret-words');
    const ids = [...rows.map(({ event_id }) => event_id), newId('evt')];
    const ask = (own: string) =>
      new CommandClient(harness.n.ledger).request(commands.erasable_values, {
        events: ids.map((event_id) => ({ org_id: own, event_id })),
      });
    expect(await ask(item.org_id)).toEqual({
      answered: ids,
      values: [{ event_id: rows[2]?.event_id, reason: 'secret-words \uFFFD \uFFFD', note: null }],
    });
    expect(await ask(newId('org'))).toEqual({ answered: ids, values: [] });
    expect((await view(item)).votes.map((vote) => vote.reason)).toEqual([null, 'secret-words \uFFFD \uFFFD']);
  });
});

describe('a request that no member can decide', () => {
  const legal = { approver_groups: [{ group: 'legal', count: 2 }], on_no_approver: 'deny' } as const;
  const inOrg = (own: string) => {
    const item = requested(own);
    return { ...item, terms: { ...item.terms, ...legal, approver_groups: [...legal.approver_groups] } };
  };

  it('is denied at once if the policy says so, but not while the members are unknown', async () => {
    const own = newId('org');
    const unknown = inOrg(own);
    await harness.opened(unknown);
    expect(await harness.typesOf(unknown)).toEqual(['approval.opened']);
    await harness.member(own, { groups: ['legal'] });
    await eventually(async () => {
      const { rows } = await harness.pool.query('SELECT FROM member WHERE org_id = $1', [own]);
      return rows.length === 1;
    });
    const item = inOrg(own);
    await harness.opened(item);
    expect(await harness.typesOf(item)).toEqual(['approval.opened', 'approval.denied']);
    expect(harness.n.answers.get(item.item_id)?.[0]?.outcome).toMatchObject({
      status: 'denied',
      denial_reason: 'NO_ELIGIBLE_APPROVER',
    });
    expect(await view(item)).toMatchObject({
      status: 'denied',
      resolved_by: null,
      reason: 'Nobody in the workspace may decide this request.',
    });
    const { groups, ...second } = { ...newMember(), groups: ['legal'] };
    harness.gateway.keep({
      org_id: own,
      stream_id: second.member_id,
      type: 'member.created',
      data: { member_id: second.member_id, role: 'member', groups },
      occurred_at: new Date(Date.now() - 60_000),
    });
    const decidable = inOrg(own);
    await harness.opened(decidable);
    expect(await harness.typesOf(decidable)).toEqual(['approval.opened']);
  });

  it('is escalated at once if the policy says so', async () => {
    const step = { after: '30s', contacts: [], channels: [], repeat: null };
    const item = request({ approvals_required: 1_000, escalation: [step] });
    await harness.member(org);
    await harness.opened(item);
    expect(await harness.typesOf(item)).toEqual(['approval.opened', 'approval.escalated']);
    expect(await status(item)).toMatchObject({ status: 'escalated' });
    expect(harness.n.answers.get(item.item_id)?.[0]?.outcome).toMatchObject({ status: 'requested' });
  });
});

describe('cancelling', () => {
  it('is for the agent that asked, which then reads a denial', async () => {
    const [item, anna] = await Promise.all([opened(), harness.member(org)]);
    expect(await refusal(cancel(item, newId('agt')))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await cancel(item, item.agent.id, 'not needed any more')).toMatchObject({
      status: 'denied',
      reason: 'cancelled',
      denial_reason: 'CANCELLED',
      resolved_by: null,
      grant: null,
    });
    expect(await view(item)).toMatchObject({
      status: 'cancelled',
      reason: 'not needed any more',
      resolved_by: null,
    });
    expect(harness.n.wakes).toContain(item.approval_id);
    expect(await refusal(approve(item, anna))).toMatchObject({
      code: 'APPROVAL_ALREADY_DECIDED',
      extra: { decision: { status: 'cancelled', denial_reason: 'CANCELLED' } },
    });
  });
});

describe('while the gateway is unreachable', () => {
  it('known people decide, and unknown ones are asked to try again', async () => {
    const [item, anna] = await Promise.all([opened(), harness.member(org)]);
    const { groups: _none, ...stranger } = newMember();
    await refusal(approve(item, stranger));
    harness.gateway.stop();
    expect(await refusal(approve(item, stranger))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await approve(item, anna)).toMatchObject({ status: 'approved' });
  });
});
