// `npm --prefix bench start [-- --repeats 3 --seconds 3 --connections 1,16,64 --asking 10 --no-start --no-clone --profile --against ../before]`
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { burst, loader } from './load.mjs';
import { checkouts } from './checkout.mjs';
import { cpuPer, idleCpu, sum } from './figures.mjs';
import { render, summarise } from './report.mjs';
import { startTimes } from './start-times.mjs';
import { startCerbos } from './targets/cerbos.mjs';
import { startOurSystem } from './targets/our-system.mjs';
import { findOpa, startOpa } from './targets/opa.mjs';
import { requests } from './workload.mjs';

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    repeats: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '1,16,64' },
    asking: { type: 'string', default: '10' },
    'warm-up': { type: 'string', default: '15' },
    idle: { type: 'string', default: '20' },
    against: { type: 'string' },
    start: { type: 'boolean', default: true },
    clone: { type: 'boolean', default: true },
    peers: { type: 'boolean', default: true },
    profile: { type: 'boolean', default: false },
  },
});
const repeats = Number(options.repeats);
const seconds = Number(options.seconds);
const connections = options.connections.split(',').map(Number);
const asking = Number(options.asking);
const warmUp = Number(options['warm-up']);
const idleSeconds = Number(options.idle);

const results = new URL('../results/', import.meta.url).pathname;
const scratch = await mkdtemp(join(tmpdir(), 'al-bench-'));
const work = requests(asking);
const notes = [];
const targets = [];
const say = (text) => console.error(text);

/** Sends each request once and compares the verdict, not just the status. */
async function checkAnswers(target) {
  const ids = [];
  for (const [i, request] of work.entries()) {
    const { path, headers, body } = target.message(request, i);
    const answer = await fetch(target.url + path, { method: 'POST', headers, body });
    const said = await answer.json();
    const verdict = target.verdictOf(said);
    if (verdict !== request.verdict)
      throw new Error(
        `${target.name} said ${verdict} where ${request.verdict} is right: ${body} → ${JSON.stringify(said)}`,
      );
    if (target.eventOf) ids.push(target.eventOf(said));
  }
  return ids;
}

/** What was asked of a target, to be compared with its log. */
const counted = new Map();

async function load(target, { connections: count, seconds: time }) {
  const messages = work.map((request, i) => target.message(request, i));
  const result = await burst(target.url, messages, { connections: count, seconds: time });
  const counts = counted.get(target) ?? { answered: 0, cutOff: 0, errors: 0, checked: [] };
  counts.answered += result.requests;
  counts.cutOff += count;
  counts.errors += result.errors;
  counted.set(target, counts);
  return result;
}

async function run() {
  await mkdir(results, { recursive: true });
  say('Starting the servers …');
  const profileDir = join(results, 'profiles');
  if (options.profile) await rm(profileDir, { recursive: true, force: true });
  const measuredCheckouts = checkouts(options.against);
  for (const [i, checkout] of measuredCheckouts.entries())
    targets.push(
      await startOurSystem(checkout, options.profile && i === 0 ? { cpuProfileDir: profileDir } : {}),
    );
  const systems = [...targets];
  if (options.peers) {
    targets.push(await startCerbos(scratch));
    const opa = await findOpa();
    if (opa.binary) targets.push(await startOpa(scratch, opa.binary));
    else notes.push(`OPA did not run: ${opa.missing}.`);
  }

  say('Checking the answers, warming up …');
  const bursts = [];
  const check = async (target) => {
    const ids = await checkAnswers(target);
    counted.get(target)?.checked.push(...ids);
  };
  // The same time for each: what is compiled while it runs needs it, and what is not must not miss it.
  const turns = 3;
  for (let turn = 0; turn < turns; turn++)
    for (const target of targets)
      await load(target, { connections: Math.max(...connections), seconds: Math.ceil(warmUp / turns) });
  for (const target of targets) await check(target);
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const count of connections)
      for (let i = 0; i < targets.length; i++) {
        const target = targets[(i + repeat) % targets.length];
        const loaded = loadavg()[0];
        const before = await target.cpu();
        const result = await load(target, { connections: count, seconds });
        const cpu = cpuPer(before, await target.cpu(), result.requests);
        if (result.errors > 0 && !systems.includes(target))
          throw new Error(`${target.name} answered ${result.errors} errors`);
        bursts.push({
          target: target.name,
          connections: count,
          repeat,
          load: loaded,
          cpu,
          cpu_us: sum(cpu),
          ...result,
        });
        say(
          `${target.name} at ${count}: ${result.rate}/s, p50 ${result.p50} ms, p99 ${result.p99} ms (load ${loaded.toFixed(1)}), CPU µs ${JSON.stringify(cpu)}`,
        );
      }
  const pss = Object.fromEntries(
    await Promise.all(targets.map(async (target) => [target.name, await target.pss()])),
  );
  say('Measuring what idle servers cost …');
  const idle = await idleCpu(targets, { seconds: idleSeconds });
  for (const target of targets) await check(target);
  for (const target of targets)
    if (target.logged) notes.push(`${target.name} wrote ${await target.logged()} decisions to its log.`);

  say('Reading and verifying the log …');
  const audits = [];
  for (const system of systems) audits.push(await audited(system));
  const loads = bursts.map((b) => b.load);
  const report = {
    when: new Date().toISOString(),
    machine: `${cpus().length} CPUs (${cpus()[0]?.model}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`,
    load: { min: Math.min(...loads).toFixed(1), max: Math.max(...loads).toFixed(1) },
    options: { repeats, seconds, connections, asking, warmUp, idle: idleSeconds },
    targets: targets.map(({ name, version, durability }) => ({ name, version, durability })),
    summary: summarise(bursts),
    audit: {
      loader,
      mix: `50 policies, 100 requests: 60 executed, ${40 - asking} denied, ${asking} asking a person`,
      checked: 2 * work.length * targets.length,
    },
    audits,
    pss,
    idle,
    bursts,
    notes,
  };
  await stopAll();
  if (options.start) {
    say('Timing npm start …');
    report.start = await startTimes(measuredCheckouts, {
      repeats: Math.min(3, repeats),
      clone: options.clone,
    });
  }
  const name = report.when.replaceAll(/[:.]/g, '-');
  await writeFile(join(results, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  const text = render(report);
  await writeFile(join(results, `${name}.txt`), text);
  console.log(`\n${text}`);
}

/** Every checked answer is in the log, and as many entries as there were answers. */
async function audited(system) {
  const { verdict, ids } = await system.audit();
  const { checked, errors, cutOff, ...counts } = counted.get(system);
  const answered = counts.answered + checked.length;
  const lost = checked.filter((id) => !ids.has(id)).length;
  if (!verdict.ok) throw new Error(`the log of ${system.name} does not verify: ${JSON.stringify(verdict)}`);
  if (lost > 0 || ids.size < answered - errors || ids.size > answered + cutOff)
    throw new Error(`${ids.size} entries for ${answered} answers, ${lost} of the checked ones are missing`);
  return {
    name: system.name,
    answered,
    cutOff,
    errors,
    entries: ids.size,
    verified: `chain, tree and signed checkpoint verify (${verdict.size} entries)`,
  };
}

async function stopAll() {
  for (const target of targets.splice(0)) await target.stop();
}

let failed = false;
try {
  await run();
} catch (error) {
  failed = true;
  console.error(error);
} finally {
  await stopAll();
  await rm(scratch, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
