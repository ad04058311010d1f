import {
  approvalServiceCommands,
  auditLedgerCommands,
  eventSubject,
  gatewayCommands,
  notifierCommands,
  policyEngineCommands,
  type ServiceName,
  type WireEvent,
  wireEvent,
} from '@agentlattice/contracts';
import { CommandClient, connectNats, ensureEventStream, respondTo } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import { readBaseConfig, startApp } from '@agentlattice/service';
import {
  eventually,
  startNats,
  startPostgres,
  type TestNats,
  type TestPostgres,
} from '@agentlattice/testkit';
import { jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrations } from './migrations/index.js';
import { notifierEnvironment } from '../test/notifier-harness.js';
import { NotifierModule } from './notifier.module.js';

const logger = createLogger('test', 'silent');
const org = 'org_01jd7e5sqcfnmrq9yh4qvxw2k3';
const { list_outgoing } = notifierCommands;
const replays = {
  gateway: gatewayCommands.replay,
  'policy-engine': policyEngineCommands.replay,
  'approval-service': approvalServiceCommands.replay,
  'audit-ledger': auditLedgerCommands.replay,
};
type Source = keyof typeof replays;

const released = join(import.meta.dirname, '../../../libs/contracts/golden/released');
const golden = readdirSync(released).flatMap((release) =>
  readdirSync(join(released, release))
    .filter((file) => file.endsWith('.json'))
    .map((file) => wireEvent.parse(JSON.parse(readFileSync(join(released, release, file), 'utf8')))),
);

/** The events of the four other services that the notifier reads. */
const tables = new Map<ServiceName, WireEvent[]>();
let total = 0;
function happened(type: string): WireEvent {
  const form = golden.find((event) => event.type === type);
  if (form === undefined) throw new Error(`there is no golden ${type}`);
  const table = tables.get(form.source) ?? [];
  tables.set(form.source, table);
  const gpos = table.length + 1;
  const event = { ...form, event_id: `evt_n${String(++total)}`, gpos, source_seq: gpos, org_id: org };
  table.push(event);
  return event;
}

describe('the notifier', () => {
  let postgres: TestPostgres;
  let nats: TestNats;
  let app: NestFastifyApplication;
  let client: CommandClient;
  const connections = new Map<string, NatsConnection>();
  const publish = async (event: WireEvent) => {
    const nc = connections.get(event.source);
    if (nc !== undefined)
      await jetstream(nc).publish(
        eventSubject(event.org_id, event.type),
        JSON.stringify({ events: [event] }),
      );
  };
  const outgoing = async (request: { cursor?: string | null; limit?: number; org_id?: string } = {}) =>
    client.request(list_outgoing, { org_id: org, cursor: null, limit: 200, ...request });
  const ids = async () => (await outgoing()).events.map((event) => event.id);
  const start = async () => {
    app = await startApp(
      { service: 'notifier', module: NotifierModule },
      readBaseConfig('notifier', process.env),
      logger,
    );
  };

  beforeAll(async () => {
    [postgres, nats] = await Promise.all([
      startPostgres({ migrations: { notifier: migrations } }),
      startNats(),
    ]);
    for (const source of Object.keys(replays) as Source[]) {
      const nc = await connectNats({ url: nats.natsUrl(source), service: source, instance: 't' });
      connections.set(source, nc);
      respondTo(nc, {
        command: replays[source],
        queue: source,
        logger,
        handler: (payload) => {
          const { after_gpos } = replays[source].request.parse(payload);
          const table = tables.get(source) ?? [];
          return { events: table.slice(after_gpos), head_gpos: table.length, through_gpos: table.length };
        },
      });
      await nc.flush();
    }
    const { host, password } = new URL(nats.natsUrl('admin'));
    const admin = await connect({ servers: host, user: 'admin', pass: decodeURIComponent(password) });
    connections.set('admin', admin);
    client = new CommandClient(admin);
    const ledger = connections.get('audit-ledger');
    if (ledger !== undefined) await ensureEventStream(ledger);
    Object.assign(process.env, notifierEnvironment(postgres, nats));
  });
  afterAll(async () => {
    await app.close();
    for (const nc of connections.values()) await nc.close();
    await Promise.all([postgres.stop(), nats.stop()]);
  });

  it('takes in events from before its first start', async () => {
    const before = [happened('policy.created'), happened('approval.opened'), happened('key.created')];
    await start();
    await eventually(async () => (await ids()).length === 2);
    expect((await ids()).sort()).toEqual([before[0]?.event_id, before[1]?.event_id].sort());
  });

  it('stores live events once and in order, although they come twice, late or not at all', async () => {
    const told = [
      'agent.suspended',
      'agent.suspended',
      'agent.suspended',
      'key.created',
      'agent.suspended',
    ] as const;
    const events = told.map(happened);
    const [first, second, lost, inside, last] = events;
    if (!first || !second || !lost || !inside || !last) throw new Error('there are five');
    for (const event of [second, first, first, last, inside, second, last]) await publish(event);
    await eventually(async () => (await ids()).includes(last.event_id));
    const kept = (await ids()).filter((id) => events.some((event) => event.event_id === id));
    expect(kept).toEqual([first, second, lost, last].map((event) => event.event_id));
  });

  it('goes on after it was stopped', async () => {
    const known = await ids();
    await app.close();
    const missed = happened('approval.timed_out');
    await publish(missed);
    await start();
    await eventually(async () => (await ids()).includes(missed.event_id));
    expect(await ids()).toEqual([...known, missed.event_id]);
  });

  it('lists in pages, a workspace at a time', async () => {
    const all = await ids();
    const first = await outgoing({ limit: 3 });
    const rest = await outgoing({ cursor: first.next_cursor });
    expect([...first.events, ...rest.events].map((event) => event.id)).toEqual(all);
    expect(rest.next_cursor).toBeNull();
    expect((await outgoing({ org_id: 'org_01jd7e5sqcfnmrq9yh4qvxw2k4' })).events).toEqual([]);
    await expect(outgoing({ cursor: 'forged' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});
