// `npm --prefix bench run approvals [-- --repeats 3 --singles 150 --seconds 3 --loops 32 --no-peers --no-client --against ../before]`
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Agent } from 'undici';
import { checkouts } from './checkout.mjs';
import { cpuPer, idleCpu, percentile } from './figures.mjs';
import { pause } from './process.mjs';
import { renderApprovals } from './approvals-report.mjs';
import { startOurApprovals } from './targets/our-approvals.mjs';
import { pollingClient } from './targets/published-client.mjs';
import { startRestate } from './targets/restate.mjs';

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    repeats: { type: 'string', default: '3' },
    singles: { type: 'string', default: '150' },
    seconds: { type: 'string', default: '3' },
    loops: { type: 'string', default: '32' },
    gates: { type: 'string', default: '24' },
    pending: { type: 'string', default: '200' },
    'warm-up': { type: 'string', default: '15' },
    idle: { type: 'string', default: '20' },
    against: { type: 'string' },
    peers: { type: 'boolean', default: true },
    client: { type: 'boolean', default: true },
  },
});
const number = (name) => Number(options[name]);
const results = new URL('../results/', import.meta.url).pathname;
const scratch = await mkdtemp(join(tmpdir(), 'al-bench-'));
const dispatcher = new Agent({ connections: 2_048, headersTimeout: 90_000, bodyTimeout: 90_000 });
const say = (text) => console.error(text);
/** What was started, and the ways of asking for an approval there. */
const servers = [];

const spread = (times) => ({
  count: times.length,
  p50: percentile(times, 0.5),
  p99: percentile(times, 0.99),
});

/** One request for approval from its start to the agent that goes on; milliseconds from the approval's sending. */
async function round(target, settleMs) {
  const asked = await target.create();
  const unblocked = target.wait(asked).then((answer) => ({ answer, at: performance.now() }));
  // Long enough that the agent really waits; nobody approves in the same millisecond.
  if (settleMs > 0) await pause(settleMs);
  const sent = performance.now();
  const [, { answer, at }] = await Promise.all([target.approve(asked), unblocked]);
  if (!target.isApproved(answer)) throw new Error(`${target.name} answered ${JSON.stringify(answer)}`);
  return at - sent;
}

async function singles(target) {
  const times = [];
  for (let i = 0; i < number('singles'); i++) times.push(await round(target, 15));
  return spread(times);
}

/** Requests created, approved and taken up by their agents, by loops that do one after another. */
async function throughput(target, seconds = number('seconds')) {
  const until = performance.now() + seconds * 1_000;
  const times = [];
  const before = await target.cpu();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: number('loops') }, async () => {
      while (performance.now() < until) times.push(await round(target, 0));
    }),
  );
  const took = (performance.now() - started) / 1_000;
  const cpu = cpuPer(before, await target.cpu(), times.length);
  return { rate: Math.round(times.length / took), cpu, ...spread(times) };
}

/** The same time for each server, in turns: what is compiled while it runs needs it, and what is not must not miss it. */
async function warmUp() {
  const turns = 3;
  for (let turn = 0; turn < turns; turn++)
    for (const { flows } of servers)
      for (const flow of flows) await throughput(flow, number('warm-up') / turns / flows.length);
}

/** A change of the policy from its sending until the first, and the last, of those who wait goes on. */
async function release(system) {
  const count = number('pending');
  const asked = await Promise.all(Array.from({ length: count }, () => system.three.create()));
  const first = system.three.wait(asked[0]);
  const set = (effect) =>
    system.send('PATCH', `/api/v1/policies/${system.policyId}`, system.stack.credentials.admin.api_key, {
      effect,
    });
  const sent = performance.now();
  const heard = asked.map(async (request, i) => {
    const answer = await (i === 0 ? first : system.three.wait(request));
    if (answer.status !== 'approved' || answer.resolved_by !== null)
      throw new Error(`not released: ${JSON.stringify(answer)}`);
    return performance.now() - sent;
  });
  await set('allow');
  const times = await Promise.all(heard);
  await set('require_approval');
  return { pending: count, first: Math.min(...times), last: Math.max(...times) };
}

async function run() {
  await mkdir(results, { recursive: true });
  say('Starting the servers …');
  for (const checkout of checkouts(options.against))
    servers.push(await startOurApprovals(dispatcher, checkout));
  const [system] = servers;
  if (options.peers) servers.push(await startRestate(scratch, dispatcher));
  const targets = servers.flatMap(({ flows }) => flows);
  const measured = [];
  say('Warming up …');
  await warmUp();
  for (let repeat = 0; repeat < number('repeats'); repeat++)
    for (let i = 0; i < targets.length; i++) {
      const target = targets[(i + repeat) % targets.length];
      const load = loadavg()[0];
      const single = await singles(target);
      const loops = await throughput(target);
      measured.push({ target: target.name, repeat, load, single, loops });
      say(
        `${target.name}: approve → unblocked p50 ${single.p50.toFixed(2)} p99 ${single.p99.toFixed(2)} ms; ` +
          `at ${options.loops} loops ${loops.rate}/s, p50 ${loops.p50.toFixed(1)} p99 ${loops.p99.toFixed(1)} ms (load ${load.toFixed(1)}) CPU µs ${JSON.stringify(loops.cpu)}`,
      );
    }
  const pss = Object.fromEntries(
    await Promise.all(servers.map(async (server) => [server.name, await server.pss()])),
  );
  say('Measuring what idle servers cost …');
  const idle = await idleCpu(servers, { seconds: number('idle') });
  const releases = [];
  for (let repeat = 0; repeat < number('repeats'); repeat++) {
    releases.push(await release(system));
    say(`policy change → released: ${JSON.stringify(releases.at(-1))}`);
  }
  const polled = options.client ? spread(await pollingClient(system, scratch, number('gates'))) : null;
  const loads = measured.map(({ load }) => load);
  const report = {
    when: new Date().toISOString(),
    machine: `${cpus().length} CPUs (${cpus()[0]?.model}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`,
    load: { min: Math.min(...loads).toFixed(1), max: Math.max(...loads).toFixed(1) },
    options,
    servers: servers.map(({ name, version = '', durability }) => ({ name, version, durability })),
    targets: targets.map(({ name }) => name),
    measured,
    releases,
    polled,
    pss,
    idle,
  };
  const name = `approvals-${report.when.replaceAll(/[:.]/g, '-')}`;
  await writeFile(join(results, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  const text = renderApprovals(report);
  await writeFile(join(results, `${name}.txt`), text);
  console.log(`\n${text}`);
}

let failed = false;
try {
  await run();
} catch (error) {
  failed = true;
  console.error(error);
} finally {
  for (const server of servers) await server.stop();
  await rm(scratch, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
