import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { eventually, testDataDirectory, type TestDataDirectory } from '@agentlattice/testkit';
import { externalNats, ownNats, type NatsAccess } from './nats-access.js';
import { natsOptions } from './nats-client.js';

describe('the bundled NATS', () => {
  let directory: TestDataDirectory;
  let access: NatsAccess;
  const connections: NatsConnection[] = [];
  const connected = async (user: Parameters<NatsAccess['url']>[0]) => {
    const nc = await connect({ ...natsOptions(access.url(user)), reconnect: false });
    connections.push(nc);
    return nc;
  };

  beforeAll(async () => {
    directory = await testDataDirectory();
    access = await ownNats(directory);
  });
  afterAll(() => directory.remove());
  afterEach(async () => {
    for (const nc of connections.splice(0)) await nc.close();
  });

  it('accepts no connection without a password', async () => {
    const { servers } = natsOptions(access.url('gateway'));
    await expect(connect({ servers, reconnect: false })).rejects.toThrow(/authorization/i);
  });

  it('prevents a service from receiving the answers to another', async () => {
    const nc = await connected('gateway');
    const heard = new Promise<Error | null>((resolve) =>
      nc.subscribe('_INBOX_notifier.>', { callback: (error) => resolve(error) }),
    );
    expect((await heard)?.message).toMatch(/permission/i);
  });

  it('keeps its passwords in files that only their owner can read', () => {
    expect(statSync(join(directory.dataDir, 'nats.conf')).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory.dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('is restarted on the same port when it is killed', async () => {
    const before = directory.group.get('nats')?.pid;
    directory.group.get('nats')?.kill('SIGKILL');
    await directory.group.get('nats')?.ready(30_000);
    expect(directory.group.get('nats')?.pid).not.toBe(before);
    await eventually(async () => (await connected('admin')).info !== undefined);
  });

  it('can be used as an external server, with a warning when all services share one credential', async () => {
    const shared = await externalNats({ url: access.url('admin'), services: {} }, directory);
    expect(shared.url('gateway')).toBe(access.url('admin'));
    expect(directory.printed.join('\n')).toContain('WARNING: all services share the credential of NATS_URL');
    const own = await externalNats(
      { url: access.url('admin'), services: { gateway: access.url('gateway') } },
      directory,
    );
    expect(own.url('gateway')).toBe(access.url('gateway'));
  });

  it('is recorded on disk while it runs, so that the next launcher finds it after a kill', () => {
    expect(readdirSync(join(directory.dataDir, 'run'))).toContain('nats.pid');
    const record = JSON.parse(readFileSync(join(directory.dataDir, 'run', 'nats.pid'), 'utf8')) as {
      pid: number;
    };
    expect(record.pid).toBe(directory.group.get('nats')?.pid);
  });
});
