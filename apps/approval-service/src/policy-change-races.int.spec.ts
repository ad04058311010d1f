import { approvalServiceCommands as commands, type OpenItem } from '@agentlattice/contracts';
import { eventually } from '@agentlattice/testkit';
import type pg from 'pg';
import { newId, requested } from '../test/approval-fixture.js';
import { allows, policyRef } from '../test/fake-policy-engine.js';
import { fanOutPolicyChanges } from './outbound/policy-changes.js';
import {
  judgedLate,
  many,
  type PolicyChangeHarness,
  policyChangeHarness,
} from '../test/policy-change-harness.js';

/** The locks are released afterwards. */
async function inRolledBack<T>(pool: pg.Pool, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    return await work(client);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}

describe('a change of policies', () => {
  let h: PolicyChangeHarness;
  beforeAll(async () => {
    h = await policyChangeHarness();
  });
  beforeEach(() => h.reset());
  afterAll(() => h.stop());

  it('also reaches a request that was judged before it and opened after it, and no other', async () => {
    const org = newId('org');
    const { event_id } = await h.engine.change(org, 'policy.deleted');
    await h.noted(org);
    await h.settled(org);
    h.engine.judge = () => allows();
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    const during = requested(org, 600_000, { judged_at: at(-1_000) });
    const after = requested(org, 600_000, { judged_at: at(60_000) });
    const unconcerned = requested(org, 600_000, {
      judged_at: at(-1_000),
      action_type: 'mail.send',
      policy: policyRef(),
    });
    const elsewhere = requested(newId('org'), 600_000, { judged_at: at(-1_000) });
    await h.opened(during, after, unconcerned, elsewhere);
    await eventually(async () => (await h.statusOf(during)) === 'approved');
    await h.settled(org);
    for (const item of [after, unconcerned, elsewhere]) expect(await h.statusOf(item)).toBe('pending');
    const [approved] = await h.events(org);
    expect(approved?.data['change']).toMatchObject({ event_id });
  });

  it('waits for an opening that is under way, so that no request is missed', async () => {
    const org = newId('org');
    h.engine.judge = () => allows();
    const item = requested(org, 600_000, { judged_at: judgedLate() });
    const waiting = (locktype: string) =>
      eventually(async () => {
        const { rows } = await h.pool.query('SELECT FROM pg_locks WHERE locktype = $1 AND NOT granted', [
          locktype,
        ]);
        return rows.length > 0;
      });
    const other = await h.pool.connect();
    try {
      // Another writer of the same stream delays the opening, and finally rolls back.
      await other.query('BEGIN');
      await other.query(
        `INSERT INTO event (org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at)
         VALUES ($1, $2, 1, 'evt_other', 'approval.opened', 1, '{}', '{}', now())`,
        [org, item.approval_id],
      );
      h.n.open(item);
      await waiting('transactionid');
      await h.engine.change(org, 'policy.updated');
      await waiting('advisory');
      expect((await h.pool.query('SELECT FROM policy_change WHERE org_id = $1', [org])).rowCount).toBe(0);
    } finally {
      await other.query('ROLLBACK');
      other.release();
    }
    await eventually(async () => (await h.statusOf(item)) === 'approved');
  });

  it('holds no lock while the engine is asked: people decide, requests open and changes spread meanwhile', async () => {
    const org = newId('org');
    const [anna, ben] = await Promise.all([h.member(org), h.member(org)]);
    const [denied, voted, waiting] = many(org, 3);
    if (denied === undefined || voted === undefined || waiting === undefined)
      throw new Error('there are items');
    await h.opened(denied, voted, waiting);
    let answer = () => {};
    h.engine.thinking = new Promise((resolve) => (answer = resolve));
    h.engine.judge = () => allows();
    await h.engine.change(org, 'policy.updated');
    await eventually(() => h.engine.asked.length > 0);
    const { rows } = await h.pool.query(
      `SELECT application_name, query FROM pg_stat_activity
        WHERE state LIKE 'idle in transaction%' AND application_name LIKE 'approval-service-%'`,
    );
    expect(rows).toEqual([]);
    const locked = await inRolledBack(h.pool, (tx) =>
      tx.query('SELECT FROM rejudging WHERE org_id = $1 FOR UPDATE NOWAIT', [org]),
    );
    expect(locked.rowCount).toBe(3);
    const vote = (item: OpenItem, operator: typeof anna, command: 'approve' | 'deny') =>
      h.n.client.request(commands[command], {
        org_id: org,
        approval_id: item.approval_id,
        operator,
        reason: null,
        correlation_id: null,
        ...(command === 'approve' && { forever_for: null, policy_version: null }),
      } as never);
    expect(await vote(denied, anna, 'deny')).toMatchObject({ status: 'denied' });
    expect(await vote(voted, ben, 'approve')).toMatchObject({ status: 'pending' });
    await h.opened(requested(org, 600_000));
    // Another replica spreads a second change and does not wait.
    await h.engine.change(org, 'policy.updated', { name: 'the second change' });
    await h.noted(org);
    await fanOutPolicyChanges(h.pool);
    answer();
    await h.settled(org);
    expect(await h.statusOf(denied)).toBe('denied');
    expect(await h.typesOf(denied)).toEqual(['approval.opened', 'approval.denied']);
    expect(await h.typesOf(voted)).toEqual(['approval.opened', 'approval.vote_cast', 'approval.approved']);
    // The request that was asked about before the second change was judged again after it.
    const approved = (await h.events(org)).find(({ approval_id }) => approval_id === waiting.approval_id);
    expect(approved).toMatchObject({
      type: 'approval.approved',
      data: { change: { policy_name: 'the second change' } },
    });
  });

  it('misses no request while requests are opened all the time', async () => {
    const org = newId('org');
    h.engine.judge = () => allows();
    const items: OpenItem[] = [];
    for (let round = 0; round < 15; round++) {
      const batch = Array.from({ length: 20 }, () => requested(org, 600_000));
      items.push(...batch);
      h.n.open(...batch.slice(0, 10));
      const changing = h.engine.change(org, 'policy.updated');
      h.n.open(...batch.slice(10));
      await changing;
    }
    await eventually(() => items.every((item) => h.n.answers.has(item.item_id)));
    await eventually(
      async () =>
        (await h.pool.query(`SELECT FROM approval WHERE org_id = $1 AND status = 'approved'`, [org]))
          .rowCount === items.length,
      { within: 30_000 },
    );
    const ends = (await h.events(org)).map(({ approval_id }) => approval_id);
    expect(new Set(ends).size).toBe(ends.length);
  });

  it('is applied by several replicas while people decide: each request ends once', async () => {
    await h.replica();
    const org = newId('org');
    const people = await Promise.all([h.member(org), h.member(org)]);
    const items = many(org, 1_000);
    await h.opened(...items);
    h.engine.judge = () => allows();
    const begun = performance.now();
    await h.engine.change(org, 'policy.updated');
    const deciding = items
      .filter((_, i) => i % 20 === 19)
      .flatMap((item) =>
        people.map((operator) =>
          h.n.client
            .request(commands.deny, {
              org_id: org,
              approval_id: item.approval_id,
              operator,
              reason: null,
              correlation_id: null,
            })
            .then(
              () => 'denied',
              (error: { code: string }) => error.code,
            ),
        ),
      );
    let first: number | undefined;
    await eventually(
      async () => {
        const { rows } = await h.pool.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM approval WHERE org_id = $1 AND status NOT IN ('pending', 'escalated')`,
          [org],
        );
        const n = rows[0]?.n ?? 0;
        if (n > 0) first ??= performance.now() - begun;
        return n === items.length;
      },
      { within: 150_000 },
    );
    console.log(
      `a change released the first of 1,000 requests after ${String(Math.round(first ?? 0))} ms, all after ${String(Math.round(performance.now() - begun))} ms`,
    );
    const answers = await Promise.all(deciding);
    const all = await h.events(org);
    expect(all).toHaveLength(items.length);
    expect(new Set(all.map(({ approval_id }) => approval_id)).size).toBe(items.length);
    expect(all.filter(({ type }) => type === 'approval.denied')).toHaveLength(
      answers.filter((answer) => answer === 'denied').length,
    );
    expect(answers.every((answer) => ['denied', 'APPROVAL_ALREADY_DECIDED'].includes(answer))).toBe(true);
    await h.settled(org);
  });
});
