import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventStreamName } from '@agentlattice/contracts';
import { eventually, refuseWrites, testDataDirectory, type TestDataDirectory } from '@agentlattice/testkit';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type NatsAccess, ownNats } from './nats-access.js';
import { withNats } from './nats-client.js';

describe('the bundled NATS that answers and does not store', () => {
  let directory: TestDataDirectory;
  let access: NatsAccess;
  const runs = () => directory.group.get('nats')?.runs ?? 0;
  const heard = (text: string) => directory.printed.filter((line) => line.includes(text)).length;
  const store = () =>
    withNats(access.url('admin'), (nc) => jetstream(nc).publish('events.org.member.created', '{}'));
  beforeAll(async () => {
    directory = await testDataDirectory();
    access = await ownNats(directory, { everyMs: 20, restartEveryMs: 60_000 });
    await withNats(access.url('admin'), async (nc) => {
      await (
        await jetstreamManager(nc)
      ).streams.add({
        name: eventStreamName,
        subjects: ['events.>'],
        allow_msg_ttl: true,
      });
    });
  });
  afterAll(() => directory.remove());

  it('is restarted, once and not in a loop, and keeps its messages', async () => {
    await store();
    expect(runs()).toBe(1);
    const mend = await refuseWrites(access.url('admin'));
    await eventually(() => runs() === 2, { within: 30_000 });
    expect(heard('the event stream refuses writes')).toBe(1);
    await directory.group.get('nats')?.ready(30_000);
    // It still refuses, and is not restarted before the time between two restarts is over.
    await expect(store()).rejects.toThrow();
    await mend();
    await eventually(() => heard('stores again') === 1);
    expect(runs()).toBe(2);
    const { state } = await withNats(access.url('admin'), async (nc) =>
      (await jetstreamManager(nc)).streams.info(eventStreamName),
    );
    expect(state.first_seq).toBe(1);
  });
});

describe('the bundled NATS while there is no space', () => {
  let directory: TestDataDirectory;
  afterAll(() => directory.remove());

  it('is not restarted before there is space', async () => {
    directory = await testDataDirectory();
    const access = await ownNats(directory, { everyMs: 20 });
    await withNats(access.url('admin'), async (nc) => {
      await (
        await jetstreamManager(nc)
      ).streams.add({
        name: eventStreamName,
        subjects: ['events.>'],
        allow_msg_ttl: true,
      });
    });
    // Nothing can be written when a directory has the name of the file.
    const inTheWay = join(directory.dataDir, 'nats', '.space-probe');
    mkdirSync(inTheWay);
    writeFileSync(join(inTheWay, 'file'), '');
    await refuseWrites(access.url('admin'));
    await eventually(() => directory.printed.some((line) => line.includes('nothing can be written to')));
    expect(directory.group.get('nats')?.runs).toBe(1);
    rmSync(inTheWay, { recursive: true });
    await eventually(() => directory.group.get('nats')?.runs === 2, { within: 30_000 });
  });
});
