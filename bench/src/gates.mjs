// `npm --prefix bench run gates [-- --rounds 20 --singles 5 --in-flight 10000]`: what a gate of each client costs.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkouts } from './checkout.mjs';
import { median, percentile } from './figures.mjs';
import { pause, until } from './process.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    singles: { type: 'string', default: '5' },
    'in-flight': { type: 'string', default: '10000' },
  },
});
const root = fileURLToPath(new URL('../..', import.meta.url));
const sdk = join(root, 'libs/sdk/dist/package/index.js');
const part = (name) => fileURLToPath(new URL(`gates/${name}.mjs`, import.meta.url));
const actionType = 'bench.gate';
const pollMs = 5_000;
const scratch = await mkdtemp(join(tmpdir(), 'al-gates-'));
let environments = 0;
let token = 0;
const say = (text) => console.error(text);

/** Before anything runs: it holds up this process, and open connections would be closed meanwhile. */
function environmentWith(requirement) {
  const folder = join(scratch, `python-${++environments}`);
  execFileSync('python3', ['-m', 'venv', folder]);
  const pip = spawnSync(join(folder, 'bin/pip'), ['install', '--quiet', requirement], { encoding: 'utf8' });
  if (pip.status !== 0) throw new Error(pip.stderr);
  return join(folder, 'bin/python');
}

/** A client in Python as a process that takes one call a line. */
function pythonClient(name, program, driver, callOf) {
  const python = spawn(program, [join(root, driver)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  const waiting = new Map();
  createInterface({ input: python.stdout }).on('line', (line) => {
    const { id, error } = JSON.parse(line);
    const at = performance.now();
    const { done, failed } = waiting.get(id);
    if (error) failed(new Error(`${name}: ${error.message}`));
    else done(at);
  });
  let count = 0;
  const gate = (metadata) =>
    new Promise((done, failed) => {
      const id = ++count;
      waiting.set(id, { done, failed });
      python.stdin.write(`${JSON.stringify({ id, ...callOf(metadata) })}\n`);
    });
  return { name, gate, stop: () => python.kill() };
}

function clientsOf({ baseUrl, credentials }, { AgentLattice }, programs) {
  const key = credentials.agent.api_key;
  const al = new AgentLattice({ apiKey: key, baseUrl });
  const bare = async (metadata) => {
    const answer = await fetch(`${baseUrl}/api/v1/actions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        prefer: 'wait=60, grant',
      },
      body: JSON.stringify({ action_type: actionType, metadata }),
    });
    const { status } = await answer.json();
    if (status !== 'executed') throw new Error(`bare HTTP was answered ${status}`);
    return performance.now();
  };
  return {
    held: [
      { name: 'bare HTTP', gate: bare, stop: () => {} },
      {
        name: 'TypeScript SDK',
        gate: async (metadata) => {
          await al.gate(actionType, { metadata });
          return performance.now();
        },
        stop: () => {},
      },
      pythonClient('Python SDK', programs.sdk, 'clients/python/conformance_driver.py', (metadata) => ({
        ...{ base_url: baseUrl, api_key: key, method: 'gate' },
        args: { action_type: actionType, metadata },
      })),
    ],
    polling: pythonClient(
      'published client',
      programs.published,
      'e2e/published-client/drive.py',
      (metadata) => ({
        ...{ op: 'gate', key, base_url: baseUrl },
        args: { action_type: actionType, options: { metadata } },
      }),
    ),
  };
}

/** Opens a gate. @returns how to approve it: milliseconds from sending the approval until the gate returned */
async function opened({ baseUrl, credentials }, client) {
  const send = async (method, path, body) => {
    const answer = await fetch(baseUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${credentials.admin.api_key}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status}`);
    return answer.json();
  };
  const mine = String(++token);
  const returned = client.gate({ mark: mine });
  returned.catch(() => undefined);
  const { id } = await until('the request', async () => {
    const { approvals } = await send(
      'GET',
      `/api/v1/approvals?status=pending&action_type=${actionType}&limit=50`,
    );
    return approvals.find(({ metadata }) => metadata.mark === mine);
  });
  return async () => {
    const sent = performance.now();
    const [at] = await Promise.all([
      returned,
      send('POST', `/api/v1/approvals/${id}/approve`, { reason: 'reviewed' }),
    ]);
    return at - sent;
  };
}

/** The clients take turns in every round, while the polling one waits for its approval at some moment of its pace. */
async function latencies(stack, { held, polling }) {
  const times = Object.fromEntries([...held, polling].map(({ name }) => [name, []]));
  for (const client of [...held, ...held]) await (await opened(stack, client))();
  const rounds = Number(options.rounds);
  for (let round = 0; round < rounds; round++) {
    const approve = await opened(stack, polling);
    const ready = pause((round / rounds) * pollMs);
    for (let i = 0; i < Number(options.singles); i++)
      for (const client of held) {
        const now = await opened(stack, client);
        await pause(50);
        times[client.name].push(await now());
      }
    await ready;
    times[polling.name].push(await approve());
    say(`round ${round + 1} of ${rounds}`);
  }
  return times;
}

/** A server that holds every submission, so that the memory is the client's alone. */
async function inFlight(count) {
  let waiting = 0;
  const server = createServer((request, response) => {
    if (request.url === '/held') return void response.end(String(waiting));
    request.resume();
    waiting++;
  });
  server.listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  try {
    const child = spawn(
      process.execPath,
      ['--expose-gc', part('in-flight'), sdk, `http://127.0.0.1:${server.address().port}`, String(count)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let said = '';
    for await (const chunk of child.stdout) said += chunk;
    return JSON.parse(said);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const importTimes = () =>
  Array.from({ length: 20 }, () =>
    Number(execFileSync(process.execPath, [part('import-time'), sdk], { encoding: 'utf8' })),
  );

const mean = (times) => times.reduce((a, b) => a + b, 0) / times.length;

try {
  const [ours] = checkouts();
  execFileSync(process.execPath, [join(root, 'tools/package-sdk.mjs')], { stdio: 'inherit' });
  const load = [loadavg()[0]];
  const importMs = median(importTimes());
  say(`import ${importMs} ms`);
  const memory = await inFlight(Number(options['in-flight']));
  say(`in flight ${JSON.stringify(memory)}`);
  const programs = {
    sdk: environmentWith(join(root, 'clients/python')),
    published: environmentWith('agentlattice==0.4.2'),
  };
  const { startStack } = await ours.library('testkit');
  const stack = await startStack({ samplePolicy: false });
  let times;
  try {
    await stack.startServices();
    const clients = clientsOf(stack, await import(sdk), programs);
    try {
      const made = await fetch(`${stack.baseUrl}/api/v1/policies`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${stack.credentials.admin.api_key}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ name: 'asks', action_type: actionType, effect: 'require_approval' }),
      });
      if (!made.ok) throw new Error(`no policy: HTTP ${made.status}`);
      times = await latencies(stack, clients);
    } finally {
      for (const { stop } of [...clients.held, clients.polling]) stop();
    }
  } finally {
    await stack.stop();
  }
  load.push(loadavg()[0]);
  const [bare, published] = [times['bare HTTP'], times['published client']];
  const rows = Object.entries(times).map(([name, of]) =>
    [
      name.padEnd(18),
      String(of.length).padStart(5),
      ...[percentile(of, 0.5), percentile(of, 0.99), mean(of)].map((ms) => ms.toFixed(1).padStart(9)),
      `${(percentile(of, 0.5) / percentile(bare, 0.5)).toFixed(2)}`.padStart(8),
      `1/${(mean(published) / mean(of)).toFixed(0)}`.padStart(8),
    ].join(' '),
  );
  const text = [
    `Approve -> gate returns, ms; Node ${process.version}, ${cpus().length} cores, load ${load.map((l) => l.toFixed(1)).join(' to ')}`,
    `${'client'.padEnd(18)} gates       p50       p99      mean  x bare  of the published mean`,
    ...rows,
    `import of the TypeScript SDK, median of 20 fresh processes: ${importMs.toFixed(1)} ms`,
    `${options['in-flight']} gates in flight in one Node process: ${(memory.bytes / 1024).toFixed(1)} KiB each`,
    '',
  ].join('\n');
  const results = new URL('../results/', import.meta.url).pathname;
  await mkdir(results, { recursive: true });
  const name = join(results, `gates-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
  await writeFile(`${name}.txt`, text);
  await writeFile(`${name}.json`, JSON.stringify({ load, importMs, memory, times }, null, 2));
  console.log(text);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
