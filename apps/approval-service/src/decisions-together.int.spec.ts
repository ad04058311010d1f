import {
  approvalServiceCommands as commands,
  type DecidingOperator,
  type OpenItem,
  Refused,
} from '@agentlattice/contracts';
import { eventually } from '@agentlattice/testkit';
import type pg from 'pg';
import { newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness } from '../test/approval-harness.js';

let harness: ApprovalHarness;
beforeAll(async () => (harness = await approvalHarness()));
afterAll(() => harness.stop());

const org = newId('org');
const opened = async (terms: Partial<OpenItem['terms']> = {}) => {
  const item = requested(org, 60_000);
  await harness.opened({ ...item, terms: { ...item.terms, approvals_required: 1, ...terms } });
  return item;
};
const body = (
  { org_id, approval_id }: Pick<OpenItem, 'org_id' | 'approval_id'>,
  operator: DecidingOperator,
) => ({
  org_id,
  approval_id,
  operator,
  reason: 'looks good',
  correlation_id: null,
});
type One = Pick<OpenItem, 'org_id' | 'approval_id'>;
const approve = (item: One, operator: DecidingOperator, correlation_id: string | null = null) =>
  harness.n.client
    .request(commands.approve, {
      ...body(item, operator),
      correlation_id,
      forever_for: null,
      policy_version: null,
    })
    .catch((error: unknown) => error);
const deny = (item: One, operator: DecidingOperator) =>
  harness.n.client.request(commands.deny, body(item, operator)).catch((error: unknown) => error);

/** Transactions that ended these requests. */
const commits = async (...items: One[]) => {
  const { rows } = await harness.pool.query<{ xid: string }>(
    `SELECT DISTINCT xid::text AS xid FROM event WHERE stream_id = ANY ($1) AND version > 1`,
    [items.map(({ approval_id }) => approval_id)],
  );
  return rows.map(({ xid }) => xid);
};

/** Holds the lock of a request's stream while `work` runs. */
async function holding(item: One, work: (holder: pg.PoolClient) => Promise<void>): Promise<void> {
  const holder = await harness.pool.connect();
  try {
    await holder.query('BEGIN');
    await holder.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7154))', [
      `${item.org_id}/${item.approval_id}`,
    ]);
    await work(holder);
    await holder.query('COMMIT');
  } finally {
    holder.release();
  }
}
const backendsThatWait = async () => {
  const { rows } = await harness.pool.query<{ pid: number }>(
    `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
  );
  return rows.map(({ pid }) => pid);
};

/** Sends commands while a decision is under way, so that all of them share the next commit. */
async function askTogether<T>(ask: () => Promise<T>[]): Promise<{ answers: Promise<T[]> }> {
  const [first, anna] = await Promise.all([opened(), harness.member(org)]);
  const asked: Promise<T>[] = [];
  await holding(first, async () => {
    void approve(first, anna);
    await eventually(async () => (await backendsThatWait()).length === 1);
    asked.push(...ask());
    await harness.n.gateway.flush();
    // They have arrived once a later request is answered.
    await harness.n.client.request(commands.get_approval, {
      org_id: org,
      approval_id: first.approval_id,
      agent_id: null,
    });
  });
  return { answers: Promise.all(asked) };
}
const together = async <T>(ask: () => Promise<T>[]) => (await askTogether(ask)).answers;

describe('decisions that arrive at the same time', () => {
  it('share a commit, and only the refused one fails', async () => {
    const [first, second, late, anna, viewer] = await Promise.all([
      opened(),
      opened(),
      opened(),
      harness.member(org),
      harness.member(org, { role: 'viewer' }),
    ]);
    await approve(late, anna);
    const answers = await together(() => [
      approve(first, anna),
      approve(second, viewer),
      approve({ org_id: org, approval_id: newId('apr') }, anna),
      deny(late, anna),
      approve({ ...first, org_id: newId('org') }, anna),
      deny(second, anna),
    ]);
    expect(answers).toMatchObject([
      { status: 'approved', reason: 'looks good', resolved_by: anna.member_id },
      { code: 'FORBIDDEN' },
      { code: 'NOT_FOUND' },
      { code: 'APPROVAL_ALREADY_DECIDED', extra: { decision: { status: 'approved', reason: 'looks good' } } },
      { code: 'NOT_FOUND' },
      { status: 'denied', denial_reason: 'DENIED_BY_REVIEWER' },
    ]);
    expect(await commits(first, second)).toHaveLength(1);
  });

  it('on one request are counted one after another', async () => {
    const item = await opened({ approvals_required: 2 });
    const people = await Promise.all([harness.member(org), harness.member(org), harness.member(org)]);
    const [anna, bert, cora] = people as [DecidingOperator, DecidingOperator, DecidingOperator];
    const answers = await together(() => [
      approve(item, anna),
      approve(item, anna),
      approve(item, bert),
      deny(item, cora),
    ]);
    expect(answers).toMatchObject([
      { status: 'pending', approvals: { have: 1, need: 2 } },
      { code: 'ALREADY_VOTED' },
      { status: 'approved', approvals: { have: 2, need: 2 }, resolved_by: bert.member_id },
      { code: 'APPROVAL_ALREADY_DECIDED', extra: { decision: { status: 'approved' } } },
    ]);
    expect(await harness.typesOf(item)).toEqual([
      'approval.opened',
      'approval.vote_cast',
      'approval.approved',
    ]);
    expect(await commits(item)).toHaveLength(1);
    expect(harness.n.wakes.filter((id) => id === item.approval_id)).toHaveLength(1);
  });

  it('are committed one by one when one of them cannot be stored', async () => {
    const [good, bad, other, anna] = await Promise.all([opened(), opened(), opened(), harness.member(org)]);
    const answers = await together(() => [
      approve(good, anna),
      approve(bad, anna, 'text that PostgreSQL does not take: \0'),
      approve(other, anna),
    ]);
    expect(answers).toMatchObject([{ status: 'approved' }, { code: 'INTERNAL' }, { status: 'approved' }]);
    expect(await harness.typesOf(bad)).toEqual(['approval.opened']);
  });

  it('all fail with an answer when the connection is lost before the commit', async () => {
    const [held, other, anna] = await Promise.all([opened(), opened(), harness.member(org)]);
    let answers: unknown[] = [];
    await holding(held, async () => {
      const asked = await askTogether(() => [approve(held, anna), approve(other, anna)]);
      await eventually(async () => {
        const [pid] = await backendsThatWait();
        if (pid !== undefined) await harness.pool.query('SELECT pg_terminate_backend($1)', [pid]);
        return pid !== undefined;
      });
      answers = await asked.answers;
    });
    for (const answer of answers) expect(answer).toBeInstanceOf(Refused);
    expect(answers).toMatchObject([{ code: 'UNAVAILABLE' }, { code: 'UNAVAILABLE' }]);
    expect(await commits(held, other)).toEqual([]);
    expect(harness.n.wakes).not.toContain(other.approval_id);
    expect(await approve(other, anna)).toMatchObject({ status: 'approved' });
  });
});
