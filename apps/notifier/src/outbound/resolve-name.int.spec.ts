import { lookup } from 'node:dns/promises';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NameServer, nameServer } from '../../test/name-server.js';
import { NameResolver } from './resolve-name.js';

let names: NameServer;
let folder: string;
beforeAll(async () => {
  names = await nameServer({
    'hook.example': ['192.0.2.1', '::1'],
    'moved.example': ['192.0.2.2'],
    'inner.corp.example': ['192.0.2.3'],
    'silent.example': [],
  });
  folder = await mkdtemp(join(tmpdir(), 'names-'));
  await writeFile(join(folder, 'hosts'), '# ours\n10.0.0.1 gate moved.example # once there\n::1\tgate\n');
  await writeFile(join(folder, 'resolv.conf'), 'nameserver 192.0.2.9\nsearch lan.example corp.example.\n');
});
afterAll(async () => {
  names.stop();
  await rm(folder, { recursive: true });
});

const resolverOf = (timeoutMs?: number) =>
  new NameResolver({
    servers: [names.address],
    hostsFile: join(folder, 'hosts'),
    resolverFile: join(folder, 'resolv.conf'),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
const addressesOf = async (name: string) =>
  (await resolverOf().resolve(name)).map(({ address, family }) => `${address} ${String(family)}`);

describe('a name', () => {
  it('is resolved in the order of the system: hosts file, DNS, search domains', async () => {
    expect(await addressesOf('hook.example')).toEqual(['192.0.2.1 4', '::1 6']);
    expect(await addressesOf('HOOK.example.')).toEqual(['192.0.2.1 4', '::1 6']);
    expect(await addressesOf('gate')).toEqual(['10.0.0.1 4', '::1 6']);
    expect(await addressesOf('moved.example')).toEqual(['10.0.0.1 4']);
    expect(await addressesOf('inner')).toEqual(['192.0.2.3 4']);
    await expect(addressesOf('inner.')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(addressesOf('nobody.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('of this machine is sent to no name server', async () => {
    expect(await addressesOf('any.localhost')).toEqual(['127.0.0.1 4', '::1 6']);
    expect(names.asked.filter((name) => name.includes('localhost') || name === 'gate')).toEqual([]);
  });

  it('whose server does not answer delays no other work, and fails', async () => {
    let settled = 0;
    const waiting = Array.from({ length: 100 }, () =>
      resolverOf(500)
        .resolve('silent.example')
        .catch((error: unknown) => error)
        .finally(() => settled++),
    );
    // Work on the thread pool still gets a thread.
    await lookup('localhost');
    expect(settled).toBe(0);
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'ETIMEOUT' });
  });
});
