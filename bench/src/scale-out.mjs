// How throughput grows with gateways and policy-engines, what each service takes for it, and what limits it; the figures of
// docs/operations/capacity.md. `node tools/bootstrap.mjs run bench/src/scale-out.mjs [--replicas 1,2,4 --seconds 10 --held 500]`
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkouts, services } from './checkout.mjs';
import { median } from './figures.mjs';
import { burst, loader } from './load.mjs';
import { cpuSecondsOf, pause, pssOf, until } from './process.mjs';
import { furnished } from './targets/our-system.mjs';
import { requests } from './workload.mjs';

const { values: options } = parseArgs({
  options: {
    /** How many gateways and policy-engines; the other services have one replica, and the ledger has one writer. */
    replicas: { type: 'string', default: '1,2,4' },
    connections: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '10' },
    repeats: { type: 'string', default: '3' },
    'warm-up': { type: 'string', default: '15' },
    /** How many of 100 requests ask a person. */
    asking: { type: 'string', default: '10' },
    held: { type: 'string', default: '500' },
  },
});
const number = (name) => Number(options[name]);
const scaled = ['gateway', 'policy-engine'];
const [checkout] = checkouts();
const { startStack } = await checkout.library('testkit');
const limits = JSON.parse(await readFile(join(checkout.root, 'deploy', 'memory.json'), 'utf8'));

const report = {
  when: new Date().toISOString(),
  version: checkout.version,
  machine: `${cpus().length} CPUs (${cpus()[0]?.model}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}, ${loader}`,
  options,
  runs: [],
};
for (const count of options.replicas.split(',').map(Number)) report.runs.push(await measured(count));
const folder = join(checkout.root, 'bench', 'results');
await mkdir(folder, { recursive: true });
const file = join(folder, `scale-out-${report.when.replaceAll(/[:.]/g, '-')}`);
await writeFile(`${file}.json`, `${JSON.stringify(report, null, 2)}\n`);
const text = rendered();
await writeFile(`${file}.txt`, text);
console.log(text);

async function measured(count) {
  const stack = await startStack({ samplePolicy: false });
  try {
    await stack.startServices();
    const urls = [stack.baseUrl];
    const names = [...services, 'postgres', 'nats'];
    for (let n = 1; n < count; n++)
      for (const service of scaled) {
        const replica = await stack.startReplica(service);
        names.push(replica.name);
        if (service === 'gateway') urls.push(replica.baseUrl);
      }
    const target = await furnished(stack, checkout);
    const messages = requests(number('asking')).map((request, n) => target.message(request, n));
    const each = (seconds) =>
      Promise.all(
        urls.map((url) =>
          burst(url, messages, {
            connections: Math.max(1, Math.round(number('connections') / count)),
            seconds,
          }),
        ),
      );
    await each(number('warm-up'));
    const read = async (measure) =>
      Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, await measure(stack.pid(name))])),
      );
    const bursts = [];
    const before = { cpu: await read(cpuSecondsOf), disk: await diskOf(stack) };
    const load = [];
    let pss;
    for (let repeat = 0; repeat < number('repeats'); repeat++) {
      const running = each(number('seconds'));
      await pause(number('seconds') * 800);
      // Under load, when memory is highest.
      pss = largest(pss, await read(pssOf));
      load.push(loadavg()[0]);
      bursts.push(await running);
    }
    const answers = bursts.flat().reduce((sum, { requests: answered }) => sum + answered, 0);
    const cpu = Object.entries(await read(cpuSecondsOf)).map(([name, used]) => [
      name,
      used - before.cpu[name],
    ]);
    // Events, deliveries and signatures follow the answers.
    await pause(5_000);
    const disk = await diskOf(stack);
    return {
      replicas: count,
      load: median(load),
      rate: median(bursts.map((all) => all.reduce((sum, { rate }) => sum + rate, 0))),
      p50: median(bursts.map((all) => Math.max(...all.map(({ p50 }) => p50)))),
      p99: median(bursts.map((all) => Math.max(...all.map(({ p99 }) => p99)))),
      errors: bursts.flat().reduce((sum, { errors }) => sum + errors, 0),
      cpuMicrosecondsPerAnswer: byService(cpu, (used) => Math.round((used * 1e6) / answers)),
      pssMb: pss,
      connections: disk.connections,
      diskBytesPerAnswer: {
        postgres: Math.round((disk.postgres - before.disk.postgres) / answers),
        nats: Math.round((disk.nats - before.disk.nats) / answers),
      },
      ...(count === 1 && { held: await held(stack) }),
    };
  } finally {
    await stack.stop();
  }
}

function largest(one = {}, other) {
  return Object.fromEntries(
    Object.entries(other).map(([name, value]) => [name, Math.max(value, one[name] ?? 0)]),
  );
}

/** Sums of the replicas of each service. */
function byService(figures, rounded) {
  const sums = new Map();
  for (const [name, value] of figures) {
    const service = name.replace(/-\d+$/, '');
    sums.set(service, (sums.get(service) ?? 0) + value);
  }
  return Object.fromEntries([...sums].map(([service, sum]) => [service, rounded(sum)]));
}

/** What requests cost while they are held: memory and CPU of the gateway. */
async function held({ baseUrl, credentials, pid }) {
  const gateway = pid('gateway');
  const asking = requests(number('asking')).find(({ verdict }) => verdict === 'requested');
  if (asking === undefined || number('held') === 0) return null;
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const before = await pssOf(gateway);
  const open = Array.from({ length: number('held') }, () => {
    const sent = request(`${baseUrl}/api/v1/actions`, {
      ...{ method: 'POST', agent },
      headers: {
        authorization: `Bearer ${credentials.agent.api_key}`,
        'content-type': 'application/json',
        prefer: 'wait=60',
      },
    });
    sent.on('error', () => {});
    sent.end(JSON.stringify({ action_type: `${asking.service}.${asking.operation}`, metadata: {} }));
    return sent;
  });
  await until('all are held', () => openSockets(agent) >= open.length, 20_000);
  await pause(5_000);
  const [memory, cpu] = [await pssOf(gateway), await cpuSecondsOf(gateway)];
  await pause(10_000);
  const count = openSockets(agent);
  const result = {
    count,
    kibEach: Math.round(((memory - before) * 1_024) / Math.max(1, count)),
    percentOfACore: Math.round(((await cpuSecondsOf(gateway)) - cpu) * 100) / 10,
  };
  for (const sent of open) sent.destroy();
  return result;
}

function openSockets(agent) {
  return Object.values(agent.sockets).reduce((sum, sockets) => sum + sockets.length, 0);
}

/** Bytes of the database, and of the stream. */
async function diskOf(stack) {
  const pg = checkout.require('pg');
  const client = new pg.Client({ connectionString: stack.adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT pg_database_size(current_database()) AS size');
    const { rows: sessions } = await client.query(
      `SELECT usename, count(*)::int AS count FROM pg_stat_activity WHERE usename LIKE 'al\\_%' GROUP BY 1 ORDER BY 1`,
    );
    return {
      postgres: Number(rows[0].size),
      nats: await sizeOf(join(stack.dataDir, 'nats')),
      connections: Object.fromEntries(sessions.map(({ usename, count }) => [usename, count])),
    };
  } finally {
    await client.end();
  }
}

async function sizeOf(folder) {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    files
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function rendered() {
  const lines = [
    `${report.version}; ${report.machine}; ${options.connections} connections, ${options.asking} of 100 requests ask a person`,
    '',
    'replicas  load   answers/s   p50 ms   p99 ms  errors',
    ...report.runs.map(
      ({ replicas, load, rate, p50, p99, errors }) =>
        `${String(replicas).padStart(8)}  ${load.toFixed(1).padStart(4)}  ${String(rate).padStart(10)}  ${p50.toFixed(1).padStart(7)}  ${p99.toFixed(1).padStart(7)}  ${String(errors).padStart(6)}`,
    ),
    '',
    'CPU µs an answer, all replicas of a service together',
  ];
  for (const { replicas, cpuMicrosecondsPerAnswer } of report.runs)
    lines.push(
      `${String(replicas).padStart(8)}  ${Object.entries(cpuMicrosecondsPerAnswer)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}`,
    );
  lines.push('', 'largest PSS in MB under load / limit of deploy/memory.json');
  for (const { replicas, pssMb } of report.runs)
    lines.push(
      `${String(replicas).padStart(8)}  ${Object.entries(pssMb)
        .map(([name, value]) => `${name} ${value}${limitOf(name)}`)
        .join(', ')}`,
    );
  lines.push('', 'connections to PostgreSQL after the load');
  for (const { replicas, connections } of report.runs)
    lines.push(
      `${String(replicas).padStart(8)}  ${Object.entries(connections)
        .map(([role, count]) => `${role} ${count}`)
        .join(', ')}`,
    );
  lines.push('', 'bytes on disk an answer');
  for (const {
    replicas,
    diskBytesPerAnswer: { postgres, nats },
  } of report.runs)
    lines.push(`${String(replicas).padStart(8)}  postgres ${postgres}, nats ${nats}`);
  for (const { held: found } of report.runs)
    if (found)
      lines.push(
        '',
        `${found.count} held requests: ${found.kibEach} KiB each in the gateway, ${found.percentOfACore} % of a core`,
      );
  return `${lines.join('\n')}\n`;
}

function limitOf(name) {
  const limit = limits[name.replace(/-\d+$/, '')]?.containerMb;
  return limit === undefined ? '' : ` / ${limit}`;
}
