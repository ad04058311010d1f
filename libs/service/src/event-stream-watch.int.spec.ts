import { eventStreamName } from '@agentlattice/contracts';
import { connectNats, ensureEventStream, eventStreamState, storeProbe } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import { eventually, refuseWrites, startNats, type TestNats } from '@agentlattice/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { EventStreamWatch } from './event-stream-watch.js';
import { Unhealthy } from './health-registry.js';

describe('the watch over the event stream', () => {
  let nats: TestNats;
  let nc: NatsConnection;
  let watch: EventStreamWatch | undefined;
  beforeAll(async () => {
    nats = await startNats();
    // With the ledger's own rights.
    nc = await connectNats({
      url: nats.natsUrl('audit-ledger'),
      service: 'audit-ledger',
      instance: 'watch',
    });
  });
  afterAll(async () => {
    await watch?.stop();
    await nc.close();
    await nats.stop();
  });

  it('updates a stream of an earlier release to accept probes, and keeps its messages', async () => {
    const admin = await connectNats({ url: nats.natsUrl('admin'), service: 'gateway', instance: 'admin' });
    await (await jetstreamManager(admin)).streams.add({ name: eventStreamName, subjects: ['events.>'] });
    await admin.close();
    const before = await eventStreamState(nc);
    expect(before?.takesProbes).toBe(false);
    expect(await storeProbe(nc, 5_000)).toBe(false);
    expect(await ensureEventStream(nc)).toEqual({ ...before, takesProbes: true, readsBySequence: true });
    expect((await eventStreamState(nc))?.takesProbes).toBe(true);
    expect(await storeProbe(nc, 5_000)).toBe(true);
  });

  it('reports that the stream refuses writes, and that it stores again', async () => {
    watch = new EventStreamWatch(nc, createLogger('test', 'silent')).start();
    const stores = (await eventStreamState(nc))?.lastSequence ?? 0;
    await eventually(async () => ((await eventStreamState(nc))?.lastSequence ?? 0) > stores);
    expect(watch.refusal).toBeNull();
    expect(() => watch?.check()).not.toThrow();
    const mend = await refuseWrites(nats.natsUrl('admin'));
    expect(await eventually(() => watch?.refusal ?? undefined)).toMatch(
      /^the event stream has refused writes for \d+ s$/,
    );
    expect(() => watch?.check()).toThrow(Unhealthy);
    await mend();
    await eventually(() => watch?.refusal === null);
  });

  it('is not misled by a restart of NATS', async () => {
    nats.kill();
    const before = (await eventStreamState(nc).catch(() => null))?.lastSequence ?? 0;
    await eventually(async () => ((await eventStreamState(nc))?.lastSequence ?? 0) > before, {
      within: 30_000,
    });
    await eventually(() => watch?.refusal === null);
  });
});
