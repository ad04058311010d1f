import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventStreamName, natsPermissions, type ServiceName } from '@agentlattice/contracts';
import { findNatsServer } from '@agentlattice/launcher';
import { eventually, freePort } from '@agentlattice/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { ensureEventStream } from './event-stream.js';

const deploy = join(import.meta.dirname, '../../../deploy/nats');
const users = ['admin', ...(Object.keys(natsPermissions) as ServiceName[])];
const passwordOf = (user: string) => `password-of-${user}`;
const passwords = Object.fromEntries(
  [...users, 'cluster'].map((user) => [
    `NATS_PASSWORD_${user.replaceAll('-', '_').toUpperCase()}`,
    passwordOf(user),
  ]),
);

/** The files that Kubernetes mounts, with the addresses of this machine in place of those of pods. */
describe('three servers of NATS with the files of deploy/nats', () => {
  const servers: ChildProcess[] = [];
  let folder: string;
  let ports: number[];
  let routes: number[];
  let output = '';
  const connectAs = (user: string): Promise<NatsConnection> =>
    connect({
      servers: ports.map((port) => `127.0.0.1:${String(port)}`),
      user,
      pass: passwordOf(user),
      inboxPrefix: `_INBOX_${user}`,
    });

  beforeAll(async () => {
    const parent = process.env['AL_TEST_STACKS'] ?? tmpdir();
    await mkdir(parent, { recursive: true });
    folder = await mkdtemp(join(parent, 'al-nats-cluster-'));
    const program = await findNatsServer(folder, () => undefined);
    const given = await readFile(join(deploy, 'cluster.conf'), 'utf8');
    const manifest = await readFile(join(deploy, '../../k8s/overlays/production/nats.yaml'), 'utf8');
    const routeText = /nats-route:\S+/.exec(manifest)?.[0] ?? '';
    await writeFile(join(folder, 'permissions.conf'), await readFile(join(deploy, 'permissions.conf')));
    ports = await Promise.all([freePort(), freePort(), freePort()]);
    routes = await Promise.all([freePort(), freePort(), freePort()]);
    for (const [i, port] of ports.entries()) {
      const text = given
        .replace('listen: "0.0.0.0:4222"', `listen: "127.0.0.1:${String(port)}"`)
        .replace('http: "0.0.0.0:8222"', '')
        .replace('"/data"', JSON.stringify(join(folder, `data-${String(i)}`)))
        .replace('listen: "0.0.0.0:6222"', `listen: "127.0.0.1:${String(routes[i])}"`);
      expect(text).not.toMatch(/0\.0\.0\.0|nats-servers|"\/data"/);
      const file = join(folder, `server-${String(i)}.conf`);
      await writeFile(file, text);
      const others = routeText
        .replaceAll('$(NATS_PASSWORD_CLUSTER)', passwordOf('cluster'))
        .replaceAll(
          /nats-(\d)\.nats-servers:6222/g,
          (_, other) => `127.0.0.1:${String(routes[Number(other)])}`,
        );
      expect(others).not.toMatch(/\$|nats-servers/);
      const server = spawn(program, ['--config', file, '--routes', others], {
        env: { ...passwords, POD_NAME: `nats-${String(i)}` },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      server.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
      servers.push(server);
    }
  });
  afterAll(async () => {
    await Promise.all(
      servers.map((server) => {
        const ended = new Promise((resolve) => server.once('exit', resolve));
        server.kill('SIGKILL');
        return ended;
      }),
    );
    await rm(folder, { recursive: true, force: true });
  });

  it('keep as many copies of the stream as the ledger asks for, and change their number', async () => {
    const nc = await eventually(() => connectAs('audit-ledger'), { within: 30_000 }).catch(
      (error: unknown) => {
        throw new Error(`no server answers: ${output}`, { cause: error });
      },
    );
    const admin = await connectAs('admin');
    try {
      const copies = async () => {
        const { config, cluster } = await (await jetstreamManager(admin)).streams.info(eventStreamName);
        return [config.num_replicas, (cluster?.replicas ?? []).filter(({ current }) => current).length + 1];
      };
      const one = await eventually(() => ensureEventStream(nc), { within: 30_000 });
      expect(one.replicas).toBe(1);
      await eventually(async () => (await ensureEventStream(nc, 3)).replicas === 3, { within: 30_000 });
      await eventually(async () => (await copies()).join() === '3,3', { within: 30_000 });
      // As an earlier configuration left it, and the same stream.
      expect((await ensureEventStream(nc, 3)).incarnation).toBe(one.incarnation);
    } finally {
      await Promise.all([nc.close(), admin.close()]);
    }
  });

  it('let no server join that does not know their password', async () => {
    const socket = connectSocket(routes[0] ?? 0, '127.0.0.1');
    try {
      const [greeting] = (await once(socket, 'data')) as [Buffer];
      expect(JSON.parse(greeting.toString().replace(/^INFO /, ''))).toMatchObject({ auth_required: true });
    } finally {
      socket.destroy();
    }
  });
});
