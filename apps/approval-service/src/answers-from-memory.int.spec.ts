import { jest } from '@jest/globals';
import {
  approvalServiceCommands as commands,
  type DecidingOperator,
  type OpenItem,
} from '@agentlattice/contracts';
import pg from 'pg';
import { newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness } from '../test/approval-harness.js';

/** The statements of each connection, in order. */
const asked = new Map<unknown, string[]>();
let harness: ApprovalHarness;
beforeAll(async () => {
  // The prototype's method is called with the connection as its `this`.
  const query = Reflect.get(pg.Client.prototype, 'query') as (...args: unknown[]) => unknown;
  jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: unknown, ...args: unknown[]) {
    const [first] = args;
    const text = typeof first === 'string' ? first : (first as { text?: string } | undefined)?.text;
    asked.set(this, [...(asked.get(this) ?? []), text ?? '']);
    return query.apply(this, args);
  } as never);
  harness = await approvalHarness();
});
afterAll(async () => {
  await harness.stop();
  jest.restoreAllMocks();
});

const org = newId('org');
const opened = async (terms: Partial<OpenItem['terms']> = {}) => {
  const item = requested(org, 60_000);
  await harness.opened({ ...item, terms: { ...item.terms, approvals_required: 1, ...terms } });
  return item;
};
const body = ({ org_id, approval_id }: OpenItem, operator: DecidingOperator, reason: string | null) => ({
  org_id,
  approval_id,
  operator,
  reason,
  correlation_id: null,
});
const approve = (item: OpenItem, operator: DecidingOperator, reason: string | null = null) =>
  harness.n.client.request(commands.approve, {
    ...body(item, operator, reason),
    forever_for: null,
    policy_version: null,
  });
const withdraw = (item: OpenItem, operator: DecidingOperator) =>
  harness.n.client.request(commands.withdraw_vote, { ...body(item, operator, null) });
const read = ({ org_id, approval_id }: OpenItem) =>
  harness.n.client.request(commands.get_approval, { org_id, approval_id, agent_id: null });

/** The statements of the deciding transaction, in order, by their first words. */
function ofTheDecision(): string[] {
  for (const texts of asked.values()) {
    const begun = texts.lastIndexOf('BEGIN');
    // A sweep may have the connection next, and asks how far a source was checked.
    const own = texts.slice(begun).filter((text) => !text.startsWith('SELECT checked_gpos'));
    if (
      own.some((text) => text.startsWith('INSERT INTO event (')) ||
      own.some((text) => text.includes('UPDATE approval a'))
    )
      return own.map(
        (text) => /^(?:WITH (\w+)|(\w+(?: INTO \w+| \w+\.?\w*)?))/.exec(text)?.slice(1).find(Boolean) ?? text,
      );
  }
  return [];
}

it('a decision takes two round trips of nine statements, and nothing is read after it is written', async () => {
  const [item, anna] = await Promise.all([opened(), harness.member(org)]);
  await approve(await opened(), anna);
  asked.clear();
  await approve(item, anna, 'looks good');
  expect(ofTheDecision()).toEqual([
    'BEGIN',
    'ordered',
    'SELECT e.org_id',
    'SELECT m.org_id',
    'INSERT INTO event',
    'change',
    'SELECT pg_advisory_xact_lock',
    'fresh',
    'COMMIT',
  ]);
});

it('the answer equals a later reading, with the reasons of earlier votes', async () => {
  const item = await opened({ approvals_required: 3 });
  const [anna, ben, cora] = [await harness.member(org), await harness.member(org), await harness.member(org)];
  await approve(item, anna, 'not yet \0');
  await withdraw(item, anna);
  await approve(item, anna, 'now it does');
  await approve(item, ben);
  const decided = await approve(item, cora, 'so be it \ud800');
  expect(decided).toMatchObject({
    status: 'approved',
    reason: 'so be it \uFFFD',
    votes: [
      { member_id: anna.member_id, reason: 'now it does' },
      { member_id: ben.member_id, reason: null },
      { member_id: cora.member_id, reason: 'so be it \uFFFD' },
    ],
    metadata: JSON.parse(item.metadata) as object,
  });
  expect('history' in decided && decided.history.map(({ reason }) => reason)).toEqual([
    null,
    'not yet \uFFFD',
    null,
    'now it does',
    null,
    'so be it \uFFFD',
  ]);
  expect(await read(item)).toEqual(decided);
});

it('a late decision is refused with the first one, a person’s or the system’s', async () => {
  const [item, anna, ben] = [await opened(), await harness.member(org), await harness.member(org)];
  await approve(item, anna, 'first');
  const decision = { status: 'approved', resolved_by: anna.member_id, reason: 'first' };
  await expect(approve(item, ben, 'second')).rejects.toMatchObject({
    code: 'APPROVAL_ALREADY_DECIDED',
    extra: { decision },
  });
});
