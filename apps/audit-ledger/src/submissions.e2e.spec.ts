import {
  auditLedgerCommands as commands,
  type OpenItem,
  type SubmissionAnswer,
} from '@agentlattice/contracts';
import { eventually } from '@agentlattice/testkit';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { type LedgerHarness, startLedgerHarness, Submitter } from '../test/ledger-harness.js';
import { newOrg, sampleAgent, sampleItem, samplePolicy } from '../test/sample-items.js';

let harness: LedgerHarness;
let submitter: Submitter;
beforeAll(async () => {
  harness = await startLedgerHarness();
  submitter = new Submitter(harness.nc);
  await (await harness.start()).ready();
}, 120_000);
afterAll(() => harness.stop());

describe('a submission', () => {
  it('is answered from its entry', async () => {
    const item = sampleItem({ org: newOrg() });
    const answer = await submitter.answered(item);
    expect(answer).toMatchObject({
      agent_id: sampleAgent.id,
      action_digest: item.action_digest,
      replayed: false,
      grant: null,
      error: null,
      outcome: { status: 'executed', verdict: 'executed', policy_name: 'Sample', timeout_at: null },
    });
    const { events } = await harness.search(item.org_id);
    expect(events.map(({ type }) => type)).toEqual(['action.executed', 'ledger.created']);
    expect(events[0]).toMatchObject({
      id: answer.outcome?.audit_event_id,
      metadata: { pr_size: 12 },
      data_accessed: [{ name: 'crm', rows: 4 }],
      agent: { id: sampleAgent.id, name: sampleAgent.name },
      policy_version: '3',
      correlation_id: item.correlation_id,
    });
  });

  it('that no policy matches is answered as policy_not_found', async () => {
    const answer = await submitter.answered(sampleItem({ org: newOrg(), decision: 'denied' }));
    expect(answer.outcome).toMatchObject({
      status: 'policy_not_found',
      verdict: 'denied',
      denial_reason: 'POLICY_NOT_FOUND',
    });
  });

  it('that needs a person is forwarded to be opened, with the deadline of its entry', async () => {
    const item = sampleItem({ org: newOrg(), decision: 'requested' });
    const opened = (await submitter.submit(item)) as OpenItem;
    const { events } = await harness.search(item.org_id, { approval_id: item.verdict.approval_id });
    expect(events).toHaveLength(1);
    expect(opened).toMatchObject({
      approval_id: item.verdict.approval_id,
      audit_event_id: events[0]?.id,
      requested_at: events[0]?.timestamp,
      timeout_at: new Date(Date.parse(events[0]?.timestamp ?? '') + 90_000).toISOString(),
      metadata: item.metadata,
      replayed: false,
    });
    expect(submitter.answers.has(item.item_id)).toBe(false);
    // A service that missed it can ask for it.
    const { item_id: _1, gateway: _2, replayed: _3, ...expected } = opened;
    const asked = { org_id: item.org_id, approval_id: opened.approval_id };
    expect(await harness.client.request(commands.requested_action, asked)).toEqual(expected);
    await expect(
      harness.client.request(commands.requested_action, { ...asked, org_id: newOrg() }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a repeated submission', () => {
  it('gets the first answer again and makes no second entry', async () => {
    const org = newOrg();
    const first = await submitter.answered(sampleItem({ org, eventId: 'retry' }));
    const again = await submitter.answered(sampleItem({ org, eventId: 'retry' }));
    expect(again).toMatchObject({ outcome: first.outcome, replayed: true });
    expect(await harness.entriesOf(org)).toHaveLength(2);
  });

  it('opens the same approval again with the same deadline', async () => {
    const org = newOrg();
    const first = (await submitter.submit(
      sampleItem({ org, eventId: 'x', decision: 'requested' }),
    )) as OpenItem;
    // The policies may have changed in between: the log counts.
    for (const decision of ['requested', 'executed'] as const) {
      const again = (await submitter.submit(sampleItem({ org, eventId: 'x', decision }))) as OpenItem;
      expect(again).toMatchObject({
        approval_id: first.approval_id,
        timeout_at: first.timeout_at,
        replayed: true,
      });
    }
  });

  it('with other content is refused', async () => {
    const org = newOrg();
    await submitter.answered(sampleItem({ org, eventId: 'k' }));
    const other = await submitter.answered(sampleItem({ org, eventId: 'k', metadata: { pr_size: 13 } }));
    expect(other).toMatchObject({ outcome: null, error: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  });

  it('joins the first when both are under way', async () => {
    const org = newOrg();
    const items = Array.from({ length: 40 }, () => sampleItem({ org, eventId: 'same', wantGrant: true }));
    const odd = sampleItem({ org, eventId: 'same', metadata: { pr_size: 99 } });
    const others = Array.from({ length: 20 }, () => sampleItem({ org }));
    submitter.send([...items.slice(0, 20), ...others, odd, ...items.slice(20)]);
    const answers = await eventually(() => {
      const all = [...items, odd, ...others].map(({ item_id }) => submitter.answers.get(item_id));
      return all.every((answer) => answer !== undefined) ? all : undefined;
    });
    const same = answers.slice(0, 40);
    expect(new Set(same.map((answer) => answer?.outcome?.audit_event_id)).size).toBe(1);
    expect(new Set(same.map((answer) => answer?.grant)).size).toBe(1);
    expect(same.filter((answer) => answer?.replayed === false)).toHaveLength(1);
    expect(answers[40]).toMatchObject({ error: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    expect(await harness.entriesOf(org)).toHaveLength(1 + 1 + 20);
  });

  it('without an event id is another submission', async () => {
    const org = newOrg();
    for (let n = 0; n < 2; n++) await submitter.answered(sampleItem({ org, eventId: null }));
    expect(await harness.entriesOf(org)).toHaveLength(3);
  });
});

describe('a grant of an allowed action', () => {
  it('is the same token at every reading and verifies with the published key', async () => {
    const item = sampleItem({ org: newOrg(), eventId: 'g', wantGrant: true });
    const answer = await submitter.answered(item);
    const jwks = (await harness.client.request(commands.jwks, {})) as unknown as JSONWebKeySet;
    const { payload, protectedHeader } = await jwtVerify(answer.grant ?? '', createLocalJWKSet(jwks));
    expect(protectedHeader.alg).toBe('EdDSA');
    const event_id = answer.outcome?.audit_event_id ?? '';
    expect(payload).toMatchObject({
      sub: sampleAgent.id,
      org_id: item.org_id,
      approval_id: null,
      event_id,
      action_type: item.action_type,
      action_digest: item.action_digest,
      exp: (payload.iat ?? 0) + 900,
    });
    const asked = { org_id: item.org_id, agent_id: sampleAgent.id, audit_event_id: event_id };
    expect(await harness.client.request(commands.issue_grant, asked)).toMatchObject({ grant: answer.grant });
    const again = await submitter.answered(sampleItem({ org: item.org_id, eventId: 'g', wantGrant: true }));
    expect(again.grant).toBe(answer.grant);
  });

  it('is refused to other agents, for actions that were not allowed, and after its window', async () => {
    const org_id = newOrg();
    const executed = await submitter.answered(sampleItem({ org: org_id }));
    const denied = await submitter.answered(sampleItem({ org: org_id, decision: 'denied', wantGrant: true }));
    expect(denied.grant).toBeNull();
    const ask = (answer: SubmissionAnswer, changes: object = {}) =>
      harness.client.request(commands.issue_grant, {
        org_id,
        agent_id: sampleAgent.id,
        audit_event_id: answer.outcome?.audit_event_id ?? '',
        ...changes,
      });
    await expect(ask(denied)).rejects.toMatchObject({ code: 'GRANT_NOT_AVAILABLE' });
    await expect(ask(executed, { org_id: newOrg() })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(ask(executed, { agent_id: samplePolicy.id.replace('pol_', 'agt_') })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await harness.admin.query(
      `UPDATE submission SET record = replace(record, '"grant_ttl_s":900', '"grant_ttl_s":-1') WHERE entry_id = $1`,
      [executed.outcome?.audit_event_id],
    );
    await expect(ask(executed)).rejects.toMatchObject({ code: 'GRANT_EXPIRED' });
  });
});

describe('hostile items', () => {
  it('are refused one by one; the others are written', async () => {
    const org = newOrg();
    const good = [sampleItem({ org }), sampleItem({ org })];
    const base = () => sampleItem({ org });
    const bad = [
      { ...base(), metadata: '{"pr_size":13}' },
      { ...base(), metadata: '[]' },
      { ...base(), metadata: '{"pr_size":12' },
      { ...base(), data_accessed: '{}' },
      { ...base(), action_type: 'mail\nsend' },
      { ...base(), agent: { ...sampleAgent, name: 'x'.repeat(2_000) } },
      { ...base(), verdict: { ...base().verdict, policy: null } },
      { ...base(), verdict: { ...base().verdict, denial_reason: 'POLICY_DENIED' as const } },
      {
        ...sampleItem({ org, decision: 'requested' }),
        verdict: { ...sampleItem({ decision: 'requested' }).verdict, terms: null },
      },
    ];
    submitter.send([good[0] ?? base(), ...bad, good[1] ?? base()]);
    for (const { item_id } of bad)
      expect(await eventually(() => submitter.answers.get(item_id))).toMatchObject({
        outcome: null,
        error: { code: 'VALIDATION_FAILED' },
      });
    for (const { item_id } of good)
      expect(await eventually(() => submitter.answers.get(item_id))).toMatchObject({ error: null });
    expect(await harness.verify(org)).toMatchObject({ chain_valid: true, verified_through_row: 3 });
  });

  it('may have any event id and any text', async () => {
    const org = newOrg();
    const ids = ['a\nb', 'a\0b', '\u2028', '\ud83d\ude80', "'; DROP TABLE entry; --", '"', '\\N', ' '];
    for (const eventId of ids) {
      const metadata = { text: `${eventId}\n\0\t`, [eventId]: null };
      const first = await submitter.answered(sampleItem({ org, eventId, metadata }));
      expect(first.error).toBeNull();
      expect(await submitter.answered(sampleItem({ org, eventId, metadata }))).toMatchObject({
        replayed: true,
      });
    }
    expect((await harness.search(org)).events.filter(({ metadata }) => 'text' in metadata)).toHaveLength(
      ids.length,
    );
  });

  it('and messages that are no batches change nothing', async () => {
    for (const text of [
      '',
      '{',
      '[]',
      '{"v":2,"expires_at":0,"items":[]}',
      '{"v":1,"expires_at":9e15,"items":[{}]}',
    ])
      harness.nc.publish('cmd.audit-ledger.append', text);
    expect((await submitter.answered(sampleItem())).error).toBeNull();
  });

  it('that have expired are not written', async () => {
    const org = newOrg();
    const late = sampleItem({ org });
    submitter.send([late], -1);
    await submitter.answered(sampleItem({ org }));
    expect(await harness.entriesOf(org)).toHaveLength(2);
    expect(submitter.answers.has(late.item_id)).toBe(false);
  });

  it('and searches find nothing and break nothing', async () => {
    const org = newOrg();
    await submitter.answered(sampleItem({ org }));
    for (const value of ['\0', "' OR 1=1 --", '\ud800', 'x'.repeat(255)])
      expect((await harness.search(org, { agent_id: value, type: value })).events).toEqual([]);
    await expect(harness.search(org, { cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect((await harness.search(newOrg())).events).toEqual([]);
  });
});
