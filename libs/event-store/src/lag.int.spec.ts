import { replay, type WireEvent } from '@agentlattice/contracts';
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
import { jest } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import pg from 'pg';
import {
  appendEvents,
  eventStoreMigration,
  inTransaction,
  relayLagSeconds,
  startProjection,
  startRelay,
} from './index.js';

const logger = createLogger('test', 'silent');
const org = 'org_01jd7e5sqcfnmrq9yh4qvxw2k3';
const meta = { actor: null, correlation_id: null, traceparent: null };

describe('the lag', () => {
  let postgres: TestPostgres;
  let nats: TestNats;
  let pool: pg.Pool;
  let nc: NatsConnection;
  let ledger: NatsConnection;
  beforeAll(async () => {
    postgres = await startPostgres({
      migrations: { 'audit-ledger': [eventStoreMigration('audit-ledger', 1_764_000_000_000)] },
    });
    nats = await startNats();
    pool = testPool({ connectionString: postgres.databaseUrl('audit-ledger') });
    nc = await connectNats({ url: nats.natsUrl('admin'), service: 'notifier', instance: 'lag' });
    ledger = await connectNats({
      url: nats.natsUrl('audit-ledger'),
      service: 'audit-ledger',
      instance: 'lag',
    });
    await ensureEventStream(ledger);
  });
  afterAll(async () => {
    await Promise.all([nc.close(), ledger.close()]);
    await pool.end();
    await Promise.all([postgres.stop(), nats.stop()]);
  });

  const append = (version: number, agoSeconds: number) =>
    inTransaction(pool, (tx) =>
      appendEvents(tx, [
        {
          org_id: org,
          stream_id: 'log',
          version,
          type: 'ledger.created',
          data: { log: 'log' },
          meta,
          occurred_at: new Date(Date.now() - agoSeconds * 1_000),
        },
      ]),
    );

  it('of a relay is the age of its oldest waiting event, from its tables; 0 while none waits', async () => {
    expect(await relayLagSeconds(pool)).toBe(0);
    await append(1, 30);
    await append(2, 20);
    const without = await relayLagSeconds(pool);
    expect(without).toBeGreaterThanOrEqual(30);
    const relay = startRelay({
      pool,
      databaseUrl: postgres.databaseUrl('audit-ledger'),
      nc: ledger,
      service: 'audit-ledger',
      logger,
      pollMs: 100,
    });
    await eventually(async () => (await relayLagSeconds(pool)) === 0);
    await relay.stop();
    await append(3, 15);
    expect(await relayLagSeconds(pool)).toBeGreaterThanOrEqual(15);
    await pool.query('UPDATE relay_checkpoint SET published_gpos = 3');
    expect(await relayLagSeconds(pool)).toBe(0);
  });

  it('of a projection is measured by asking its source, which also brings it up to date', async () => {
    const table: WireEvent[] = [];
    const keep = (gpos: number, type: string, agoSeconds: number) =>
      table.push({
        event_id: `evt_${String(gpos)}`,
        type,
        schema_version: 1,
        source: 'gateway',
        gpos,
        source_seq: gpos,
        org_id: org,
        stream_id: 'agt',
        version: gpos,
        occurred_at: new Date(Date.now() - agoSeconds * 1_000).toISOString(),
        correlation_id: null,
        traceparent: null,
        actor: null,
        data: { agent: { id: 'agt_01jd7e5sqcfnmrq9yh4qvxw2k3', name: 'first' }, pending: 'keep' },
      });
    const command = replay('gateway');
    const asked: number[] = [];
    const responder = respondTo(nc, {
      command,
      queue: 'gateway',
      logger,
      handler: (payload) => {
        const { after_gpos, limit, types } = command.request.parse(payload);
        asked.push(after_gpos);
        const found = table.filter((e) => e.gpos > after_gpos && (types?.includes(e.type) ?? true));
        return {
          events: found.slice(0, limit),
          head_gpos: table.length,
          through_gpos: found.length > limit ? (found[limit - 1]?.gpos ?? 0) : table.length,
        };
      },
    });
    await nc.flush();
    const applied: number[] = [];
    const projection = startProjection({
      pool,
      nc,
      client: new CommandClient(nc),
      durable: 'lag-test',
      sources: ['gateway'],
      types: ['agent.suspended'],
      logger,
      checkEveryMs: 3_600_000,
      handleAll: (_tx, events) => {
        applied.push(...events.map(({ gpos }) => gpos));
        return Promise.resolve();
      },
    });
    await eventually(() => projection.behind().length === 0);
    expect(await projection.lagSeconds('gateway')).toBe(0);
    // Of another type: nothing is missing, and events that were checked are not checked again.
    keep(1, 'agent.resumed', 60);
    expect(await projection.lagSeconds('gateway')).toBe(0);
    const reads = jest.spyOn(pool, 'query');
    await projection.lagSeconds('gateway');
    expect(asked.at(-1)).toBe(1);
    expect(reads).not.toHaveBeenCalled();
    reads.mockRestore();
    // The stream does not deliver it.
    keep(2, 'agent.suspended', 40);
    expect(await projection.lagSeconds('gateway')).toBeGreaterThanOrEqual(40);
    await eventually(async () => (await projection.lagSeconds('gateway')) === 0);
    expect(applied).toEqual([2]);
    await projection.stop();
    responder.unsubscribe();
  });
});
