import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { eventually, testPremises, type TestPremises } from '@agentlattice/testkit';
import { externalNats, ownNats, type NatsAccess } from './nats-access.js';
import { natsOptions } from './nats-client.js';

describe('our own NATS', () => {
  let premises: TestPremises;
  let access: NatsAccess;
  const connections: NatsConnection[] = [];
  const connected = async (user: Parameters<NatsAccess['url']>[0]) => {
    const nc = await connect({ ...natsOptions(access.url(user)), reconnect: false });
    connections.push(nc);
    return nc;
  };

  beforeAll(async () => {
    premises = await testPremises();
    access = await ownNats(premises);
  });
  afterAll(() => premises.remove());
  afterEach(async () => {
    for (const nc of connections.splice(0)) await nc.close();
  });

  it('lets nobody in without a password', async () => {
    const { servers } = natsOptions(access.url('gateway'));
    await expect(connect({ servers, reconnect: false })).rejects.toThrow(/authorization/i);
  });

  it('keeps a service from hearing the answers to another', async () => {
    const nc = await connected('gateway');
    const heard = new Promise<Error | null>((resolve) =>
      nc.subscribe('_INBOX_notifier.>', { callback: (error) => resolve(error) }),
    );
    expect((await heard)?.message).toMatch(/permission/i);
  });

  it('keeps its passwords in files that only their owner can read', () => {
    expect(statSync(join(premises.dataDir, 'nats.conf')).mode & 0o777).toBe(0o600);
    expect(statSync(join(premises.dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('is started again when it is killed, on the same port', async () => {
    const before = premises.group.get('nats')?.pid;
    premises.group.get('nats')?.kill('SIGKILL');
    await premises.group.get('nats')?.ready(30_000);
    expect(premises.group.get('nats')?.pid).not.toBe(before);
    await eventually(async () => (await connected('admin')).info !== undefined);
  });

  it('serves as an external server too, with a loud warning when all share one credential', async () => {
    const shared = await externalNats({ url: access.url('admin'), services: {} }, premises);
    expect(shared.url('gateway')).toBe(access.url('admin'));
    expect(premises.said.join('\n')).toContain('WARNING: all services share the credential of NATS_URL');
    const own = await externalNats(
      { url: access.url('admin'), services: { gateway: access.url('gateway') } },
      premises,
    );
    expect(own.url('gateway')).toBe(access.url('gateway'));
  });

  it('is noted on disk while it runs, so that a killed launcher loses no child', () => {
    expect(readdirSync(join(premises.dataDir, 'run'))).toContain('nats.pid');
    const record = JSON.parse(readFileSync(join(premises.dataDir, 'run', 'nats.pid'), 'utf8')) as {
      pid: number;
    };
    expect(record.pid).toBe(premises.group.get('nats')?.pid);
  });
});
