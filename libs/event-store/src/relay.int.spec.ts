import {
  eventStreamName,
  eventStreamProbeSubject,
  type WireEvent,
  wireEventMessage,
} from '@agentlattice/contracts';
import { connectNats, ensureEventStream } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import {
  eventually,
  startNats,
  startPostgres,
  type TestNats,
  testPool,
  type TestPostgres,
} from '@agentlattice/testkit';
import { jest } from '@jest/globals';
import { DeliverPolicy, jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import pg from 'pg';
import {
  appendEvents,
  eventStoreMigration,
  inTransaction,
  numberingInCommitMigration,
  type Relay,
  replay,
  startRelay,
} from './index.js';

const logger = createLogger('test', 'silent');
const orgs = ['org_01jd7e5sqcfnmrq9yh4qvxw2k3', 'org_01jd7e5sqcfnmrq9yh4qvxw2k4'] as const;
const meta = { actor: null, correlation_id: null, traceparent: null };

describe('the relay', () => {
  let postgres: TestPostgres;
  let nats: TestNats;
  let pool: pg.Pool;
  let nc: NatsConnection;
  let admin: NatsConnection;
  const relays: Relay[] = [];
  const start = () => {
    const relay = startRelay({
      pool,
      databaseUrl: postgres.databaseUrl('audit-ledger'),
      nc,
      service: 'audit-ledger',
      logger,
      pollMs: 200,
      stream: ensureEventStream,
    });
    relays.push(relay);
    return relay;
  };
  const append = (org: string, stream: string, version: number, hold?: () => Promise<unknown>) =>
    inTransaction(pool, async (tx) => {
      await appendEvents(tx, [
        {
          org_id: org,
          stream_id: stream,
          version,
          type: 'ledger.created',
          data: { log: stream },
          meta,
          occurred_at: new Date(),
        },
      ]);
      await hold?.();
    });
  /** All events in the stream, as they were published. */
  const published = async (): Promise<WireEvent[]> => {
    const js = jetstream(admin);
    const consumer = await js.consumers.get(eventStreamName, { deliver_policy: DeliverPolicy.All });
    const { num_pending } = await consumer.info();
    if (num_pending === 0) return [];
    const events: WireEvent[] = [];
    for await (const message of await consumer.fetch({ max_messages: num_pending, expires: 5_000 }))
      if (message.subject !== eventStreamProbeSubject)
        events.push(...wireEventMessage.parse(message.json()).events);
    return events;
  };
  const numbered = async () =>
    Number((await pool.query<{ n: string }>('SELECT count(*) AS n FROM event')).rows[0]?.n);
  const complete = (events: readonly WireEvent[]) => {
    const gpos = [...new Set(events.map((event) => event.gpos))].sort((a, b) => a - b);
    return gpos.every((position, i) => position === (gpos[0] ?? 0) + i);
  };

  beforeAll(async () => {
    [postgres, nats] = await Promise.all([
      startPostgres({
        migrations: {
          'audit-ledger': [
            eventStoreMigration('audit-ledger', 1_700_000_000_000),
            numberingInCommitMigration(1_700_000_000_001),
          ],
        },
      }),
      startNats(),
    ]);
    pool = testPool({ connectionString: postgres.databaseUrl('audit-ledger'), max: 20 });
    nc = await connectNats({ url: nats.natsUrl('audit-ledger'), service: 'audit-ledger', instance: 'a' });
    const { host, password } = new URL(nats.natsUrl('admin'));
    admin = await connect({
      servers: host,
      user: 'admin',
      pass: decodeURIComponent(password),
      maxReconnectAttempts: -1,
    });
  });
  afterEach(async () => {
    for (const relay of relays.splice(0)) await relay.stop();
  });
  afterAll(async () => {
    await admin.close();
    await nc.close();
    await pool.end();
    await Promise.all([postgres.stop(), nats.stop()]);
  });

  it('numbers without gaps and keeps every stream’s order under 16 writers that commit in any order', async () => {
    start();
    start();
    const writers = Array.from({ length: 16 }, async (_, w) => {
      for (let version = 1; version <= 25; version++)
        await append(orgs[w % 2] ?? orgs[0], `w${String(w)}`, version, () =>
          version % 5 === 0 ? pool.query('SELECT pg_sleep(random() * 0.02)') : Promise.resolve(),
        );
    });
    // Transactions that are rolled back leave no gap either.
    const aborting = Array.from({ length: 8 }, (_, n) =>
      append(orgs[0], `aborted${String(n)}`, 1, () => Promise.reject(new Error('changed its mind'))).catch(
        () => {},
      ),
    );
    await Promise.all([...writers, ...aborting]);
    const events = await eventually(async () => {
      const all = await published();
      return all.length >= 400 && all;
    });
    expect(events).toHaveLength(400);
    expect(events.map((event) => event.gpos)).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
    for (const org of orgs) {
      const own = events.filter((event) => event.org_id === org);
      expect(own.map((event) => event.source_seq)).toEqual(own.map((_, i) => i + 1));
    }
    for (const stream of new Set(events.map((event) => event.stream_id)))
      expect(events.filter((event) => event.stream_id === stream).map((event) => event.version)).toEqual(
        Array.from({ length: 25 }, (_, i) => i + 1),
      );
  });

  it('does not skip a transaction that commits late', async () => {
    start();
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const late = append(orgs[0], 'late', 1, () => held);
    await append(orgs[0], 'early', 1);
    await eventually(async () => (await published()).some((event) => event.stream_id === 'early'));
    release();
    await late;
    const events = await eventually(async () => {
      const all = await published();
      return all.some((event) => event.stream_id === 'late') && all;
    });
    expect(complete(events)).toBe(true);
  });

  it('publishes events again whose position was not stored, and consumers recognize them', async () => {
    const relay = start();
    await append(orgs[0], 'remembered', 1);
    await eventually(async () => (await published()).some((event) => event.stream_id === 'remembered'));
    await relay.stop();
    // As if it had died between the acknowledgement and the checkpoint.
    await pool.query('UPDATE relay_checkpoint SET published_gpos = published_gpos - 3');
    await append(orgs[0], 'after-death', 1);
    start();
    const events = await eventually(async () => {
      const all = await published();
      return all.some((event) => event.stream_id === 'after-death') && all;
    });
    const again = events.filter((event) => event.stream_id === 'remembered');
    expect(new Set(again.map((event) => `${event.event_id} ${String(event.gpos)}`)).size).toBe(1);
    expect(complete(events)).toBe(true);
  });

  it('fills a stream again that lost its disk', async () => {
    start();
    await eventually(async () => (await published()).length > 0);
    await nats.wipe();
    await append(orgs[1], 'after-wipe', 1);
    const total = await numbered();
    const events = await eventually(
      async () => {
        const all = await published();
        return new Set(all.map((event) => event.event_id)).size === total && all;
      },
      { within: 30_000 },
    );
    expect(events[0]?.gpos).toBe(1);
    expect(complete(events)).toBe(true);
  });

  it('goes on after the database and NATS were killed', async () => {
    start();
    await eventually(async () => (await published()).length > 0);
    postgres.kill();
    nats.kill();
    await eventually(() => append(orgs[0], 'after-kill', 1).then(() => true), { within: 30_000 });
    const events = await eventually(
      async () => {
        const all = await published();
        return all.some((event) => event.stream_id === 'after-kill') && all;
      },
      { within: 30_000 },
    );
    expect(complete(events)).toBe(true);
  });

  it('replays by position, workspace and type, in pages', async () => {
    const total = await numbered();
    const first = await replay(pool, 'audit-ledger', { after_gpos: 0, limit: 100 });
    expect(first).toMatchObject({ head_gpos: total, through_gpos: 100 });
    expect(first.events).toHaveLength(100);
    const rest = await replay(pool, 'audit-ledger', { after_gpos: total - 5, limit: 100 });
    expect(rest.events.map((event) => event.gpos)).toEqual([4, 3, 2, 1, 0].map((back) => total - back));
    expect(rest.through_gpos).toBe(total);
    const own = await replay(pool, 'audit-ledger', { after_gpos: 0, limit: 500, org_id: orgs[1] });
    expect(new Set(own.events.map((event) => event.org_id))).toEqual(new Set([orgs[1]]));
    const none = await replay(pool, 'audit-ledger', { after_gpos: 0, limit: 5, types: ['action.executed'] });
    expect(none).toEqual({ events: [], head_gpos: total, through_gpos: total });
    const statements = jest.spyOn(pool, 'query');
    for (const after_gpos of [total, total + 1])
      expect(await replay(pool, 'audit-ledger', { after_gpos, limit: 5 })).toEqual(none);
    expect(statements).toHaveBeenCalledTimes(2);
    statements.mockRestore();
  });
});
