import type { WireEvent } from '@agentlattice/contracts';
import { commit, type Entry, parseEntry, type PrivateField, verifyLedger } from '@agentlattice/ledger';
import { eventually } from '@agentlattice/testkit';
import { typeidUnboxed } from 'typeid-js';
import { FakeApprovalService, SourceWithValues } from '../test/fake-approval-service.js';
import { type LedgerHarness, type LedgerProcess, startLedgerHarness } from '../test/ledger-harness.js';
import { newOrg, sampleAgent, samplePolicy } from '../test/sample-items.js';

let harness: LedgerHarness;
let ledger: LedgerProcess;
let approvals: FakeApprovalService;
let gateway: SourceWithValues;
beforeAll(async () => {
  harness = await startLedgerHarness();
  approvals = new FakeApprovalService(harness.nc);
  gateway = new SourceWithValues(harness.nc, 'gateway');
  ledger = await harness.start();
  await ledger.ready();
}, 120_000);
afterAll(() => harness.stop());

const member = typeidUnboxed('mbr');
const approval_id = typeidUnboxed('apr');
const subject = {
  approval_id,
  audit_event_id: typeidUnboxed('evt'),
  agent: { id: sampleAgent.id, name: 'bot', owner_member_id: null },
  action_type: 'mail.send',
  policy: samplePolicy,
};
const vote = { member_id: member, groups: [], at: '2026-11-25T06:00:00.000Z', forever_for: null } as const;

/** A vote, and the vote that completes a denial. */
function decide(org: string, reason: string | null): { cast: WireEvent; denied: WireEvent } {
  const actor = { kind: 'operator', id: member, key_id: null, via: 'cli' } as const;
  const cast = approvals.add(
    org,
    {
      type: 'approval.vote_cast',
      data: {
        ...subject,
        vote: { ...vote, decision: 'approve' },
        approvals: { have: 1, need: 2 },
        denials: { have: 0, need: 1 },
      },
    },
    { actor },
  );
  const denied = approvals.add(
    org,
    {
      type: 'approval.denied',
      data: {
        ...subject,
        votes: [{ ...vote, decision: 'deny' }],
        change: null,
        denial_reason: 'DENIED_BY_REVIEWER',
      },
    },
    { actor },
  );
  if (reason !== null) approvals.values.set(denied.event_id, { reason, note: null });
  return { cast, denied };
}
const search = async (org_id: string) => (await harness.search(org_id)).events.reverse();
const logOf = (org_id: string, length: number) =>
  eventually(async () => {
    const events = await search(org_id).catch(() => []);
    return events.length >= length ? events : undefined;
  });
const entriesOf = async (org_id: string): Promise<Entry[]> =>
  (await harness.entriesOf(org_id)).map((bytes) => parseEntry(bytes));

/** Every stored value is the one that its entry commits to, and there are no others. */
async function committedValues(org_id: string): Promise<Map<string, Record<string, unknown>>> {
  const { rows } = await harness.admin.query<{ entry_id: string; content: string }>(
    'SELECT entry_id, content FROM private_value WHERE org_id = $1',
    [org_id],
  );
  const contents = new Map(
    rows.map(({ entry_id, content }) => [
      entry_id,
      JSON.parse(content) as Partial<Record<PrivateField, { salt: string; value: string }>>,
    ]),
  );
  const entries = await entriesOf(org_id);
  for (const entry of entries)
    expect(entry.private).toEqual(
      Object.fromEntries(
        Object.entries(contents.get(entry.id) ?? {}).map(([field, { salt, value }]) => [
          field,
          commit(field as PrivateField, salt, value),
        ]),
      ),
    );
  expect(verifyLedger(entries.map((entry) => Buffer.from(JSON.stringify(entry))))).toMatchObject({
    ok: true,
  });
  return new Map(
    [...contents].map(([id, content]) => [
      id,
      Object.fromEntries(
        Object.entries(content).map(([field, { value }]) => [field, JSON.parse(value) as unknown]),
      ),
    ]),
  );
}

it('entries commit to the reasons of decisions, and show them', async () => {
  const org = newOrg();
  const reason = 'Not on a Friday.\n\u202eEvil\u0000 😀 "quoted"';
  const { cast, denied } = decide(org, reason);
  await approvals.publish(cast, denied);
  const [, vote, decision] = await logOf(org, 3);
  expect(vote).toMatchObject({
    id: cast.event_id,
    type: 'approval.vote_cast',
    decision: null,
    status: 'vote_cast',
    resolved_by: null,
    reason: null,
    operator: { id: member, name: null, via: 'cli' },
  });
  expect(decision).toMatchObject({
    id: denied.event_id,
    decision: 'denied',
    resolved_by: member,
    reason,
    note: null,
  });
  const values = await committedValues(org);
  expect([...values]).toEqual([[denied.event_id, { reason }]]);
});

it('erasable values without an answer are asked for again, and never taken as missing', async () => {
  const org = newOrg();
  approvals.maxAtOnce = 3;
  const events = Array.from({ length: 10 }, (_, n) => decide(org, `reason ${String(n)}`).denied);
  await approvals.publish(...events);
  const log = await logOf(org, 21);
  approvals.maxAtOnce = 64;
  const denied = log.filter(({ type }) => type === 'approval.denied');
  expect(denied.map(({ reason }) => reason)).toEqual(events.map((_, n) => `reason ${String(n)}`));
});

it('a ledger that cannot fetch erasable values is not ready, and continues once it can', async () => {
  const org = newOrg();
  approvals.maxAtOnce = 0;
  const { denied } = decide(org, 'at last');
  await approvals.publish(denied);
  await eventually(async () => !(await ledger.readiness()).ready, { within: 30_000 });
  approvals.maxAtOnce = 64;
  const log = await logOf(org, 3);
  expect(log.at(-1)).toMatchObject({ id: denied.event_id, reason: 'at last' });
  expect((await ledger.readiness()).ready).toBe(true);
}, 60_000);

it('erasable values are not requested for events that cannot have any', async () => {
  const org = newOrg();
  const before = approvals.asked.length;
  const event = approvals.add(org, {
    type: 'approval.timed_out',
    data: { ...subject, timeout_at: '2026-11-25T06:00:00.000Z' },
  });
  await approvals.publish(event);
  await logOf(org, 2);
  expect(approvals.asked.slice(before)).toEqual([]);
});

it.each([
  ['does not answer', () => approvals.hang()],
  ['is away', () => approvals.stopAnswering()],
])('entries wait in order while the approval-service %s, and no other source waits', async (_, fail) => {
  const org = newOrg();
  fail();
  const first = decide(org, 'one');
  const timedOut = approvals.add(org, {
    type: 'approval.timed_out',
    data: { ...subject, timeout_at: '2026-11-25T06:00:00.000Z' },
  });
  const second = decide(org, 'two');
  const events = [first.cast, first.denied, timedOut, second.cast, second.denied];
  await approvals.publish(...events);
  const agents = Array.from({ length: 20 }, () =>
    gateway.add(org, {
      type: 'agent.registered',
      data: { agent: { id: sampleAgent.id, name: 'bot' }, description: null, owner_member_id: null },
    }),
  );
  await gateway.publish(...agents);
  const meanwhile = await logOf(org, 21);
  expect(meanwhile.map(({ source }) => source)).toEqual(['audit-ledger', ...agents.map(() => 'gateway')]);
  approvals.stopAnswering();
  approvals.answerRequests();
  const log = await logOf(org, 26);
  expect(log.slice(21).map(({ id }) => id)).toEqual(events.map(({ event_id }) => event_id));
  expect(log.slice(21).map(({ reason }) => reason)).toEqual([null, 'one', null, null, 'two']);
  expect((await ledger.readiness()).ready).toBe(true);
  await committedValues(org);
});

it('the reason of a suspension is fetched from the gateway, and its entry commits to it', async () => {
  const org = newOrg();
  const suspended = { agent: { id: sampleAgent.id, name: 'bot' }, pending: 'cancel' } as const;
  const [withReason, withoutReason] = [1, 2].map(() =>
    gateway.add(org, { type: 'agent.suspended', data: suspended }),
  );
  if (withReason === undefined || withoutReason === undefined) throw new Error('two were made');
  gateway.values.set(withReason.event_id, { reason: 'it deleted a table', note: null });
  gateway.stopAnswering();
  await gateway.publish(withReason, withoutReason);
  gateway.answerRequests();
  const log = await logOf(org, 3);
  expect(log.slice(1)).toMatchObject([
    { type: 'agent.suspended', reason: 'it deleted a table', agent: { id: sampleAgent.id } },
    { type: 'agent.suspended', reason: null },
  ]);
  const values = await committedValues(org);
  expect([...values]).toEqual([[withReason.event_id, { reason: 'it deleted a table' }]]);
});

it('events are entered once, with their erasable values, when the writer is killed and they are delivered again', async () => {
  const org = newOrg();
  const events: WireEvent[] = [];
  for (let n = 0; n < 300; n++) {
    const { cast, denied } = decide(org, `reason ${String(n)}`);
    events.push(cast, denied);
  }
  const publishing = approvals.publish(...events);
  await logOf(org, 20);
  await ledger.kill('SIGKILL');
  ledger = await harness.start();
  await ledger.ready();
  await publishing;
  await eventually(async () => (await entriesOf(org)).length > events.length, { within: 30_000 });
  const before = await entriesOf(org);
  expect(before.slice(1).map(({ id }) => id)).toEqual(events.map(({ event_id }) => event_id));
  expect((await committedValues(org)).size).toBe(300);
  expect(approvals.asked.every((ids) => ids.length <= 64)).toBe(true);
  // A written entry keeps its bytes, however often its event is delivered.
  await ledger.kill('SIGKILL');
  ledger = await harness.start();
  await ledger.ready();
  await approvals.publish(...events.slice(-10));
  expect(await entriesOf(org)).toEqual(before);
}, 120_000);
