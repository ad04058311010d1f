// Restate, one node on throw-away data: a durable-execution engine whose awakeable is the nearest thing to an approval.
import { fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { cpuSecondsOf, freePort, pssOf, startServer, until } from '../process.mjs';

const platform = `${process.platform}-${process.arch}`;
// The binary itself: the wrapper would pass no signal on to it.
const command = fileURLToPath(
  new URL(`../../node_modules/@restatedev/restate-server-${platform}/bin/restate-server`, import.meta.url),
);
const { version } = createRequire(import.meta.url)('@restatedev/restate-server/package.json');

export async function startRestate(scratch, dispatcher) {
  const data = join(scratch, 'restate');
  await mkdir(data, { recursive: true });
  const [ingress, admin, fabric, service] = await Promise.all([1, 2, 3, 4].map(freePort));
  const bind = (port) => `127.0.0.1:${port}`;
  const server = startServer(command, ['--base-dir', data, '--node-name', 'bench'], {
    log: join(scratch, 'restate.log'),
    env: {
      ...process.env,
      DO_NOT_TRACK: '1',
      RESTATE_BIND_ADDRESS: bind(fabric),
      RESTATE_ADVERTISED_ADDRESS: `http://${bind(fabric)}`,
      RESTATE_INGRESS__BIND_ADDRESS: bind(ingress),
      RESTATE_ADMIN__BIND_ADDRESS: bind(admin),
      RESTATE_LOG_FILTER: 'warn',
    },
  });
  // As in production: no line per invocation.
  const handler = fork(fileURLToPath(new URL('restate-gate.mjs', import.meta.url)), [String(service)], {
    env: { ...process.env, NODE_ENV: 'production', RESTATE_LOGGING: 'ERROR' },
  });
  const waiting = new Map();
  const ready = Promise.withResolvers();
  handler.on('message', ({ ready: up, token, id }) => {
    if (up) return ready.resolve();
    waiting.get(token)?.(id);
    waiting.delete(token);
  });
  await ready.promise;
  const adminUrl = `http://${bind(admin)}`;
  await until('Restate', async () => (await fetch(`${adminUrl}/health`)).ok);
  await until('the deployment', async () => {
    const answer = await fetch(`${adminUrl}/deployments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ uri: `http://${bind(service)}`, use_http_11: false }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return true;
  });

  const url = `http://${bind(ingress)}`;
  let sequence = 0;
  const send = async (path, body) => {
    const answer = await request(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      dispatcher,
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${text}`);
    return text;
  };
  const cpu = async () => ({
    'restate-server': await cpuSecondsOf(server.pid),
    'the gate’s handler': await cpuSecondsOf(handler.pid),
  });
  const flow = {
    name: 'restate',
    cpu,
    /** Asks for an approval. */
    async create() {
      const token = sequence++;
      const told = new Promise((resolve) => waiting.set(token, resolve));
      const unblocked = send('/gate/ask', token);
      return { id: await told, unblocked };
    },
    /** Waits as an agent does; the call that asked is the one that waits. */
    wait: ({ unblocked }) => unblocked,
    approve: ({ id }) => send(`/restate/awakeables/${id}/resolve`, 'approved'),
    isApproved: (answer) => answer === '"approved"',
  };
  return {
    name: 'restate',
    version,
    durability: 'one node, journal and log in RocksDB as it comes',
    flows: [flow],
    cpu,
    pss: async () => ({ 'restate-server': await pssOf(server.pid) }),
    async stop() {
      handler.kill();
      await server.stop();
    },
  };
}
