import { auditLedgerCommands, type CommandResponse, type WireEvent } from '@agentlattice/contracts';
import { CommandClient, connectNats, ensureEventStream, respondTo } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import {
  eventually,
  startNats,
  startPostgres,
  type TestNats,
  testPool,
  type TestPostgres,
} from '@agentlattice/testkit';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import pg from 'pg';
import { inboxMigration, type Projection, type ProjectedEvent, startProjection } from './index.js';

const logger = createLogger('test', 'silent');
const org = 'org_01jd7e5sqcfnmrq9yh4qvxw2k3';
const replayCommand = auditLedgerCommands.replay;

const event = (gpos: number, type = 'ledger.created'): WireEvent => ({
  event_id: `evt_${String(gpos)}`,
  type,
  schema_version: 1,
  source: 'audit-ledger',
  gpos,
  source_seq: gpos,
  org_id: org,
  stream_id: 'log',
  version: gpos,
  occurred_at: new Date(gpos).toISOString(),
  correlation_id: null,
  traceparent: null,
  actor: null,
  data: { log: `log ${String(gpos)}` },
});

describe('a projection', () => {
  let postgres: TestPostgres;
  let nats: TestNats;
  let pool: pg.Pool;
  let ledger: NatsConnection;
  let notifier: NatsConnection;
  let responder: Subscription | undefined;
  let projection: Projection | undefined;
  /** Stands for the ledger's table. */
  const table: WireEvent[] = [];
  let replays = 0;
  let applied: number[] = [];
  const publish = (...events: WireEvent[]) =>
    jetstream(ledger).publish(`events.${org}.${events[0]?.type ?? ''}`, JSON.stringify({ events }));
  const answerReplays = () => {
    responder = respondTo(ledger, {
      command: replayCommand,
      queue: 'audit-ledger',
      logger,
      handler: (payload): CommandResponse<typeof replayCommand> => {
        replays++;
        const { after_gpos, limit, types } = replayCommand.request.parse(payload);
        const found = table.filter(
          (e) => e.gpos > after_gpos && (types === undefined || types.includes(e.type)),
        );
        const page = found.slice(0, Math.min(limit, 7));
        const head_gpos = table.at(-1)?.gpos ?? 0;
        return {
          events: page,
          head_gpos,
          through_gpos: page.length < found.length ? (page.at(-1)?.gpos ?? 0) : head_gpos,
        };
      },
    });
    return ledger.flush();
  };
  const project = (options: { types?: string[]; handle?: (event: ProjectedEvent) => void } = {}) => {
    projection = startProjection({
      pool,
      nc: notifier,
      client: new CommandClient(notifier),
      durable: 'notifier-events',
      sources: ['audit-ledger'],
      logger,
      ...(options.types && { types: options.types }),
      handle: async (tx, event) => {
        await tx.query('SELECT 1');
        options.handle?.(event);
        applied.push(event.gpos);
      },
    });
    return projection;
  };
  const fill = (from: number, to: number) => {
    const events = Array.from({ length: to - from + 1 }, (_, i) => event(from + i));
    table.push(...events);
    return events;
  };

  beforeAll(async () => {
    [postgres, nats] = await Promise.all([
      startPostgres({ migrations: { notifier: [inboxMigration('notifier', 1_700_000_000_000)] } }),
      startNats(),
    ]);
    pool = testPool({ connectionString: postgres.databaseUrl('notifier') });
    ledger = await connectNats({ url: nats.natsUrl('audit-ledger'), service: 'audit-ledger', instance: 'a' });
    notifier = await connectNats({ url: nats.natsUrl('notifier'), service: 'notifier', instance: 'a' });
    await ensureEventStream(ledger);
    await answerReplays();
  });
  afterEach(async () => {
    await projection?.stop();
    applied = [];
  });
  afterAll(async () => {
    await notifier.close();
    await ledger.close();
    await pool.end();
    await Promise.all([postgres.stop(), nats.stop()]);
  });

  it('reads events from before its start, page by page', async () => {
    fill(1, 20);
    const running = project();
    await eventually(() => applied.length === 20);
    expect(applied).toEqual(table.map((e) => e.gpos));
    await eventually(() => running.behind().length === 0);
  });

  it('applies live events in order without asking', async () => {
    const running = project();
    await eventually(() => running.behind().length === 0);
    const asked = replays;
    const events = fill(21, 30);
    for (const e of events) await publish(e);
    await eventually(() => applied.length === 10);
    expect(applied).toEqual(events.map((e) => e.gpos));
    expect(replays).toBe(asked);
  });

  it('applies each event once and in order when they arrive three times and shuffled, and some never', async () => {
    project();
    const events = fill(31, 60);
    const delivered = [...events, ...events, ...events].filter(({ gpos }) => gpos % 4 !== 0);
    // A fixed shuffle: 97 is prime to the length.
    for (let i = 0; i < delivered.length; i++)
      await publish(delivered[(i * 97) % delivered.length] ?? event(31));
    await eventually(() => applied.length >= 30);
    await publish(event(31), event(32));
    await publish(...fill(61, 61));
    await eventually(() => applied.includes(61));
    expect(applied).toEqual([...events.map((e) => e.gpos), 61]);
  });

  it('repeats an event whose handler failed, after a rollback', async () => {
    let failures = 2;
    project({
      handle: ({ gpos }) => {
        if (gpos === 63 && failures-- > 0) throw new Error('not yet');
      },
    });
    await publish(...fill(62, 64));
    await eventually(() => applied.includes(64));
    expect(failures).toBeLessThan(0);
    // Its handler ran before the commit.
    const known = async () =>
      (await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM inbox')).rows[0]?.n ?? 0;
    await eventually(async () => (await known()) >= 64);
    expect(await known()).toBe(64);
  });

  it('stops at an event of an unknown type instead of skipping it', async () => {
    table.push(event(65, 'ledger.landed'));
    const running = project();
    await publish(event(65, 'ledger.landed'));
    await publish(event(66));
    await expect(running.catchUp('audit-ledger')).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
    expect(applied).toEqual([]);
    table.pop();
    table.push(event(65), event(66));
    await eventually(() => applied.includes(66));
    expect(applied).toEqual([65, 66]);
  });

  it('waits for an unreachable source and then reads the missed events', async () => {
    responder?.unsubscribe();
    await ledger.flush();
    fill(67, 70);
    const running = project();
    await publish(event(70));
    await expect(running.catchUp('audit-ledger')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(running.behind()).toEqual(['audit-ledger']);
    await answerReplays();
    await eventually(() => applied.length === 4);
    expect(applied).toEqual([67, 68, 69, 70]);
  });

  it('misses no event when NATS loses its disk', async () => {
    project();
    await eventually(() => applied.length === 0);
    await nats.wipe();
    fill(71, 75);
    await eventually(() => applied.includes(75), { within: 30_000 });
    expect(applied).toEqual([71, 72, 73, 74, 75]);
  });

  it('asks only for its types, and stores its position', async () => {
    await eventually(() => ensureEventStream(ledger), { within: 30_000 });
    project({ types: ['ledger.created'] });
    table.push(event(76, 'action.executed'));
    const [last] = fill(77, 77);
    if (last !== undefined) await eventually(() => publish(last).then(() => true), { within: 30_000 });
    await eventually(() => applied.includes(77), { within: 30_000 });
    expect(applied).toEqual([77]);
    // Its handler ran before the commit.
    const position = async () =>
      (await pool.query('SELECT checked_gpos FROM consumer_position')).rows as unknown[];
    await eventually(async () => JSON.stringify(await position()).includes('77'));
    expect(await position()).toEqual([{ checked_gpos: '77' }]);
  });
});
