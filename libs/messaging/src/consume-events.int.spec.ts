import { eventStreamName, type WireEvent } from '@agentlattice/contracts';
import { createLogger } from '@agentlattice/observability';
import { eventually, startNats, type TestNats } from '@agentlattice/testkit';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import {
  connectNats,
  consumeEvents,
  type EventConsumer,
  ensureEventStream,
  eventStreamState,
} from './index.js';

const org = 'org_01jd7e5sqcfnmrq9yh4qvxw2k3';
const logger = createLogger('test', 'silent');

const event = (gpos: number, type = 'approval.opened'): WireEvent => ({
  event_id: `evt_${String(gpos)}`,
  type,
  schema_version: 1,
  source: 'approval-service',
  gpos,
  source_seq: gpos,
  org_id: org,
  stream_id: 'apr_1',
  version: gpos,
  occurred_at: new Date(gpos).toISOString(),
  correlation_id: null,
  traceparent: null,
  actor: null,
  data: {},
});

describe('consuming events', () => {
  let nats: TestNats;
  let ledger: NatsConnection;
  let approvals: NatsConnection;
  let notifier: NatsConnection;
  let consumer: EventConsumer | undefined;
  const publish = (...events: WireEvent[]) =>
    jetstream(approvals).publish(`events.${org}.${events[0]?.type ?? ''}`, JSON.stringify({ events }));

  beforeAll(async () => {
    nats = await startNats();
    ledger = await connectNats({ url: nats.natsUrl('audit-ledger'), service: 'audit-ledger', instance: 'a' });
    approvals = await connectNats({
      url: nats.natsUrl('approval-service'),
      service: 'approval-service',
      instance: 'a',
    });
    notifier = await connectNats({ url: nats.natsUrl('notifier'), service: 'notifier', instance: 'a' });
  });
  afterEach(async () => {
    await consumer?.stop();
    consumer = undefined;
  });
  afterAll(async () => {
    for (const nc of [ledger, approvals, notifier]) await nc.close();
    await nats.stop();
  });

  it('waits until the ledger creates the stream', async () => {
    const got: number[] = [];
    consumer = consumeEvents(notifier, {
      durable: 'notifier-events',
      logger,
      onMessage: (events) => (got.push(...events.map((e) => e.gpos)), Promise.resolve()),
    });
    expect(await eventStreamState(notifier)).toBeNull();
    const made = await ensureEventStream(ledger);
    expect(await ensureEventStream(ledger)).toMatchObject({ incarnation: made.incarnation });
    await publish(event(1), event(2));
    await eventually(() => got.length === 2);
    expect(got).toEqual([1, 2]);
  });

  it('redelivers failed messages, and drops unreadable ones', async () => {
    const got: number[] = [];
    let failures = 2;
    consumer = consumeEvents(notifier, {
      durable: 'notifier-events',
      logger,
      onMessage: (events) => {
        if (failures-- > 0) return Promise.reject(new Error('not now'));
        got.push(...events.map((e) => e.gpos));
        return Promise.resolve();
      },
    });
    await jetstream(approvals).publish(`events.${org}.approval.opened`, '{"events":[{"bad":true}]}');
    await jetstream(approvals).publish(`events.${org}.approval.opened`, 'no JSON');
    await publish(event(3));
    await eventually(() => got.includes(3));
  });

  it('continues where it stopped', async () => {
    await publish(event(4));
    const got: number[] = [];
    const onMessage = (events: WireEvent[]) => (got.push(...events.map((e) => e.gpos)), Promise.resolve());
    consumer = consumeEvents(notifier, { durable: 'notifier-events', logger, onMessage });
    await eventually(() => got.includes(4));
    expect(got).not.toContain(1);
    await consumer.stop();
    await publish(event(5));
    consumer = consumeEvents(notifier, { durable: 'notifier-events', logger, onMessage });
    await eventually(() => got.includes(5));
  });

  it('takes only the types asked for, and another set of them after an update', async () => {
    const got: string[] = [];
    const onMessage = (events: WireEvent[]) => (got.push(...events.map((e) => e.type)), Promise.resolve());
    const consume = (types: string[]) =>
      consumeEvents(notifier, { durable: 'notifier-events', types, logger, onMessage });
    consumer = consume(['approval.timed_out']);
    await publish(event(6));
    await publish(event(7, 'approval.timed_out'));
    await eventually(() => got.includes('approval.timed_out'));
    expect(got).toEqual(['approval.timed_out']);
    await consumer.stop();
    consumer = consume(['approval.timed_out', 'approval.opened']);
    await publish(event(8));
    await eventually(() => got.includes('approval.opened'));
  });

  it('survives a killed server and the loss of the stream', async () => {
    const got: number[] = [];
    consumer = consumeEvents(notifier, {
      durable: 'notifier-events',
      logger,
      onMessage: (events) => (got.push(...events.map((e) => e.gpos)), Promise.resolve()),
    });
    await publish(event(9));
    await eventually(() => got.includes(9));
    nats.kill();
    await eventually(() => publish(event(10)).then(() => true), { within: 30_000 });
    await eventually(() => got.includes(10), { within: 30_000 });
    const before = await eventually(() => eventStreamState(ledger).catch(() => false as const));
    await nats.wipe();
    const after = await eventually(() => ensureEventStream(ledger), { within: 30_000 });
    expect(after.incarnation).not.toBe(before?.incarnation);
    await eventually(() => publish(event(11)).then(() => true), { within: 30_000 });
    await eventually(() => got.includes(11), { within: 30_000 });
  });

  it('creates its consumer again when it was deleted', async () => {
    const got: number[] = [];
    consumer = consumeEvents(notifier, {
      durable: 'notifier-events',
      logger,
      onMessage: (events) => (got.push(...events.map((e) => e.gpos)), Promise.resolve()),
    });
    await publish(event(12));
    await eventually(() => got.includes(12));
    const { host, password } = new URL(nats.natsUrl('admin'));
    const admin = await connect({ servers: host, user: 'admin', pass: decodeURIComponent(password) });
    await (await jetstreamManager(admin)).consumers.delete(eventStreamName, 'notifier-events');
    await admin.close();
    await publish(event(13));
    await eventually(() => got.includes(13), { within: 30_000 });
  });
});
