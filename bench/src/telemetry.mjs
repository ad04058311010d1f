// What telemetry costs: throughput with traces and metrics on, beside the same system with them off.
// `npm --prefix bench run telemetry [-- --repeats 5 --seconds 5 --connections 64 --asking 0 --share 0.05 --away]`
import { createServer } from 'node:http';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { checkouts } from './checkout.mjs';
import { cpuPer, median, paired, sumOfServices } from './figures.mjs';
import { burst, loader } from './load.mjs';
import { freePort } from './process.mjs';
import { startOurSystem } from './targets/our-system.mjs';
import { requests } from './workload.mjs';

const { values: options } = parseArgs({
  options: {
    repeats: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    asking: { type: 'string', default: '0' },
    'warm-up': { type: 'string', default: '15' },
    /** The share of traces that are recorded. */
    share: { type: 'string', default: '0.05' },
    /** Nobody listens where the services send to. */
    away: { type: 'boolean', default: false },
  },
});
const [repeats, seconds, connections, warmUp] = ['repeats', 'seconds', 'connections', 'warm-up'].map((name) =>
  Number(options[name]),
);
const work = requests(Number(options.asking));

/** Takes everything and counts bytes; what a real collector does with it is not what is measured. */
let received = 0;
const sink = createServer((request, response) => {
  request.on('data', (chunk) => (received += chunk.length));
  request.on('end', () => response.end());
});
const port = await freePort();
if (!options.away) await new Promise((done) => sink.listen(port, '127.0.0.1', done));

const [checkout] = checkouts();
const telemetry = {
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${String(port)}`,
  OTEL_TRACES_SAMPLER_ARG: options.share,
};
const targets = [];
try {
  targets.push(
    await startOurSystem({ ...checkout, name: 'off' }, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: '' } }),
  );
  targets.push(await startOurSystem({ ...checkout, name: 'on' }, { env: telemetry }));
  const load = (target, time) =>
    burst(
      target.url,
      work.map((request, i) => target.message(request, i)),
      { connections, seconds: time },
    );
  for (let turn = 0; turn < 3; turn++)
    for (const target of targets) await load(target, Math.ceil(warmUp / 3));
  const runs = [];
  for (let repeat = 0; repeat < repeats; repeat++)
    // Each begins every second round: what comes second finds a warmer machine.
    for (const target of repeat % 2 === 0 ? targets : targets.toReversed()) {
      const before = await target.cpu();
      const result = await load(target, seconds);
      const processes = cpuPer(before, await target.cpu(), result.requests);
      const cpu = sumOfServices(processes);
      runs.push({ target: target.name, repeat, cpu, processes, ...result });
      console.log(
        `${target.name.padEnd(3)} ${String(result.rate).padStart(6)}/s  p50 ${result.p50} ms  p99 ${result.p99} ms  CPU of the services ${String(cpu)} µs per answer  errors ${String(result.errors)}  load ${loadavg()[0].toFixed(1)}`,
      );
    }
  const percent = (ratio) => `${((ratio - 1) * 100).toFixed(1)} %`;
  console.log(
    `\non against off, median of ${String(repeats)} rounds (${loader}, ${String(connections)} connections, share of traces ${options.share}${options.away ? ', collector away' : ''}):`,
  );
  console.log(`throughput ${percent(paired(runs, 'on', 'off', ({ rate }) => rate))}`);
  console.log(`CPU of the services per answer ${percent(paired(runs, 'on', 'off', ({ cpu }) => cpu))}`);
  for (const process of Object.keys(runs[0].processes)) {
    const of = (name) =>
      median(runs.filter((run) => run.target === name).map((run) => run.processes[process]));
    console.log(`  ${process}: off ${String(of('off'))} µs, on ${String(of('on'))} µs`);
  }
  console.log(`p99 ${percent(paired(runs, 'on', 'off', ({ p99 }) => p99))}`);
  console.log(
    `median rates: off ${String(median(runs.filter((run) => run.target === 'off').map(({ rate }) => rate)))}/s, on ${String(median(runs.filter((run) => run.target === 'on').map(({ rate }) => rate)))}/s; ${(received / 1e6).toFixed(1)} MB were sent`,
  );
} finally {
  for (const target of targets) await target.stop();
  sink.closeAllConnections();
  sink.close();
}
process.exit(0);
