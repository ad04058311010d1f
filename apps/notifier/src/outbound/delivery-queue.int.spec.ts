import { inTransaction } from '@agentlattice/event-store';
import { type SourceEvent, startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import pg from 'pg';
import { ApprovalFacts } from '../../test/approval-facts.js';
import { newId } from '../../test/notifier-harness.js';
import type { Outcome } from '../domain/outcome.js';
import type { OutgoingSource } from '@agentlattice/contracts';
import { migrations } from '../migrations/index.js';
import { type ClaimedDelivery, DeliveryQueue, type ClaimLimits } from './delivery-queue.js';
import { storeOutgoingEvents } from './store-outgoing-events.js';

let postgres: TestPostgres;
let pool: pg.Pool;
let queue: DeliveryQueue;
beforeAll(async () => {
  postgres = await startPostgres({ migrations: { notifier: migrations } });
  pool = testPool({ connectionString: postgres.databaseUrl('notifier') });
  queue = new DeliveryQueue(pool);
});
afterAll(async () => {
  await pool.end();
  await postgres.stop();
});
afterEach(() => pool.query(`UPDATE delivery SET status = 'dead', claim = NULL, due_at = NULL`));

const limits = (changes: Partial<ClaimLimits> = {}): ClaimLimits => ({
  free: 1_000,
  perLane: 1_000,
  perWorkspace: 1_000,
  lanes: {},
  workspaces: {},
  types: {},
  ...changes,
});
const claim = (name: string, changes: Partial<ClaimLimits> = {}, leaseMs = 60_000) =>
  queue.claim(name, leaseMs, limits(changes));
const events = ['approval.requested', 'approval.escalated', 'approval.timed_out'];

async function channel(org: string): Promise<string> {
  const id = newId('chn');
  await pool.query(
    `INSERT INTO channel (org_id, channel_id, type, name, events, enabled, settings, created_at, updated_at)
     VALUES ($1, $2, 'webhook', 'hook', $3, true, '{"url":"https://example.com"}', now(), now())`,
    [org, id, events],
  );
  return id;
}
const storeEvents = (...facts: SourceEvent[]) =>
  inTransaction(pool, (tx) =>
    storeOutgoingEvents(
      tx,
      facts.map(
        ({ org_id, type, data }) =>
          ({
            event_id: newId('evt'),
            org_id,
            source: 'approval-service',
            occurred_at: new Date().toISOString(),
            correlation_id: null,
            traceparent: null,
            type,
            data,
          }) as OutgoingSource,
      ),
    ),
  );
const settle = (delivery: ClaimedDelivery | undefined, outcome: Partial<Outcome> = {}) => {
  if (delivery === undefined) throw new Error('nothing was claimed');
  return queue.settle(delivery, {
    startedAt: new Date(),
    durationMs: 1,
    jitter: 0,
    outcome: { kind: 'delivered', status: 200, answer: null, ...outcome } as Outcome,
  });
};
const failure = { kind: 'failed', error: 'no', status: null } as const;
const typesOf = (claimed: readonly ClaimedDelivery[]) => claimed.map(({ event }) => event.type);
const dueNow = () =>
  pool.query(`UPDATE delivery SET due_at = clock_timestamp() WHERE status = 'pending' AND claim IS NULL`);

describe('deliveries that are due', () => {
  it('are each claimed by one of several concurrent processes', async () => {
    const org = newId('org');
    await channel(org);
    await storeEvents(...Array.from({ length: 200 }, () => new ApprovalFacts(org).opened()));
    const claims: ClaimedDelivery[] = [];
    while (claims.length < 200) {
      const taken = await Promise.all(['a', 'b', 'c', 'd'].map((name) => claim(name, { free: 20 })));
      if (taken.flat().length === 0) break;
      claims.push(...taken.flat());
    }
    expect(claims).toHaveLength(200);
    expect(new Set(claims.map(({ delivery_id }) => delivery_id)).size).toBe(200);
  });

  it('of one receiver or one workspace leave room for those of others', async () => {
    const [one, other] = [newId('org'), newId('org')];
    const busy = await channel(one);
    await channel(one);
    await channel(other);
    await storeEvents(...Array.from({ length: 20 }, () => new ApprovalFacts(one).opened()));
    await storeEvents(new ApprovalFacts(other).opened());
    const first = await claim('a', { perLane: 4, lanes: { [busy]: 3 } });
    expect(first.filter(({ lane }) => lane === busy)).toHaveLength(1);
    expect(first).toHaveLength(1 + 4 + 1);
    const none = await claim('a', { perWorkspace: 5, workspaces: { [one]: 5 } });
    expect(none).toEqual([]);
    expect(await claim('a', { perWorkspace: 5, workspaces: { [one]: 3 } })).toHaveLength(2);
  });

  it('are due again when the process that claimed them died, and its late result changes nothing', async () => {
    const org = newId('org');
    await channel(org);
    await storeEvents(new ApprovalFacts(org).opened());
    const [lost] = await claim('a', {}, 0);
    const [found] = await claim('b');
    expect(found?.delivery_id).toBe(lost?.delivery_id);
    await settle(lost, failure);
    await settle(found);
    const { rows } = await pool.query('SELECT status, attempts FROM delivery WHERE delivery_id = $1', [
      found?.delivery_id,
    ]);
    expect(rows).toEqual([{ status: 'delivered', attempts: 1 }]);
  });

  it('are released at once by a process that stops', async () => {
    const org = newId('org');
    await channel(org);
    await storeEvents(new ApprovalFacts(org).opened());
    expect(await claim('a')).toHaveLength(1);
    expect(await claim('b')).toHaveLength(0);
    await queue.release('a');
    expect(await claim('b')).toHaveLength(1);
  });
});

describe('deliveries to one receiver about one request', () => {
  it('are sent in order, also while the receiver does not answer', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await channel(facts.org_id);
    await storeEvents(facts.opened(), facts.escalated());
    const [first, ...more] = await claim('a');
    expect([first?.event.type, more]).toEqual(['approval.requested', []]);
    await settle(first, failure);
    expect(await claim('a')).toEqual([]);
    await dueNow();
    const again = await claim('a');
    expect(typesOf(again)).toEqual(['approval.requested']);
    await settle(again[0]);
    expect(typesOf(await claim('a'))).toEqual(['approval.escalated']);
  });

  it('do not wait for a refused one', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await channel(facts.org_id);
    await storeEvents(facts.opened(), facts.escalated());
    await settle((await claim('a'))[0], { ...failure, status: 400, refused: true });
    expect(typesOf(await claim('a'))).toEqual(['approval.escalated']);
  });

  it('are superseded by the end of the request, which waits for a delivery that is under way', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await channel(facts.org_id);
    await storeEvents(facts.opened());
    const [underWay] = await claim('a');
    await storeEvents(facts.escalated(), facts.timedOut());
    expect(await claim('b')).toEqual([]);
    await settle(underWay, failure);
    expect(typesOf(await claim('b'))).toEqual(['approval.timed_out']);
    const { rows } = await pool.query<{ status: string }>(
      'SELECT status FROM delivery WHERE org_id = $1 ORDER BY position',
      [facts.org_id],
    );
    expect(rows.map(({ status }) => status)).toEqual(['superseded', 'superseded', 'pending']);
  });

  it('do not affect other requests and other workspaces', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await channel(facts.org_id);
    const other = new ApprovalFacts(facts.org_id);
    await storeEvents(facts.opened(), other.opened(), facts.timedOut());
    expect(typesOf(await claim('a'))).toEqual(['approval.requested', 'approval.timed_out']);
  });
});

describe('mail', () => {
  const mails = async (org: string, count: number) => {
    const contacts = (n: number) => [`contact${String(n)}@example.com`];
    await storeEvents(
      ...Array.from({ length: count }, (_, n) => new ApprovalFacts(org).escalated({ contacts: contacts(n) })),
    );
  };
  const orgsOf = (claimed: readonly ClaimedDelivery[]) => claimed.map(({ org_id }) => org_id);

  it('of one workspace does not wait for many mails of another', async () => {
    const [flooding, another, quiet] = [newId('org'), newId('org'), newId('org')];
    await mails(flooding, 1_200);
    await mails(another, 20);
    await mails(quiet, 1);
    const first = await claim('a', { perLane: 8, types: { email: 16 } });
    expect(first).toHaveLength(16);
    expect(orgsOf(first).filter((org) => org === quiet)).toHaveLength(1);
    expect(orgsOf(first).filter((org) => org === flooding).length).toBeLessThanOrEqual(8);
    // The server is busy with the first mails: the workspace with the fewest under way is next.
    await mails(quiet, 1);
    const lanes = { [`email:${flooding}`]: 7, [`email:${another}`]: 8 };
    expect(orgsOf(await claim('a', { perLane: 8, lanes, types: { email: 1 } }))).toEqual([quiet]);
    expect(await claim('a', { types: { email: 0 } })).toEqual([]);
  });

  it('has a common limit that does not apply to other types', async () => {
    const org = newId('org');
    await channel(org);
    await mails(org, 3);
    const claimed = await claim('a', { types: { email: 0 } });
    expect(claimed.map(({ type }) => type)).toEqual(['webhook', 'webhook', 'webhook']);
  });
});

describe('an endpoint', () => {
  const before = (orgId: string, failures: number, days: number) =>
    pool.query(
      `UPDATE channel_failures SET failures = $2, since = now() - make_interval(days => $3) WHERE org_id = $1`,
      [orgId, failures, days],
    );
  /** The last attempt at an urgent delivery: the deadline of its request is over. */
  const failing = async (facts: ApprovalFacts) => {
    await storeEvents(facts.opened());
    const [last] = await claim('a');
    await pool.query('UPDATE delivery SET pending_until = now() WHERE delivery_id = $1', [last?.delivery_id]);
    return settle(last, failure);
  };

  it('is failing when nothing reached it in ten attempts and three days, for any deliveries', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await channel(facts.org_id);
    expect(await failing(facts)).toBeNull();
    await before(facts.org_id, 20, 2);
    expect(await failing(new ApprovalFacts(facts.org_id))).toBeNull();
    await before(facts.org_id, 8, 4);
    expect(await failing(new ApprovalFacts(facts.org_id))).toBeNull();
    expect(await failing(new ApprovalFacts(facts.org_id))).toBe('failing');
    const { rows } = await pool.query<{ type: string }>('SELECT type, data FROM event WHERE org_id = $1', [
      facts.org_id,
    ]);
    expect(rows).toMatchObject(Array.from({ length: 4 }, () => ({ type: 'delivery.dead' })));
  });

  it('is not failing when a delivery reached it', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await channel(facts.org_id);
    expect(await failing(facts)).toBeNull();
    await before(facts.org_id, 20, 4);
    await storeEvents(new ApprovalFacts(facts.org_id).opened());
    await settle((await claim('a'))[0]);
    expect(await failing(new ApprovalFacts(facts.org_id))).toBeNull();
  });

  it('does not, while what is sent to it has attempts left', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await channel(facts.org_id);
    await storeEvents(facts.opened());
    await settle((await claim('a'))[0], failure);
    await before(facts.org_id, 20, 4);
    await dueNow();
    expect(await settle((await claim('a'))[0], failure)).toBeNull();
  });
});
