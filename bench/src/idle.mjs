// What `npm start` costs while nobody asks anything: each process's share of a core, in percent.
// `node tools/bootstrap.mjs run bench/src/idle.mjs [--settle 30 --seconds 60 --repeats 1]`
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { idleCpu, sum, sumOfServices } from './figures.mjs';
import {
  cpuSecondsOf,
  freePort,
  ownCpuSecondsOf,
  pause,
  productProcesses,
  startProduct,
  until,
} from './process.mjs';

const { values: options } = parseArgs({
  options: {
    settle: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '60' },
    repeats: { type: 'string', default: '1' },
    /** Another checkout. */
    root: { type: 'string', default: resolve(new URL('../..', import.meta.url).pathname) },
  },
});

/** How to read what each process used, the launcher among them. */
async function processes(npm) {
  const { launcher, children } = await productProcesses(npm);
  const cpu = Object.entries(children).map(([name, pid]) => [name, () => cpuSecondsOf(pid)]);
  return { ...Object.fromEntries(cpu), launcher: () => ownCpuSecondsOf(launcher) };
}

const scratch = await mkdtemp(join(tmpdir(), 'al-bench-idle-'));
const port = await freePort();
const product = startProduct(options.root, scratch, port);
try {
  await until(
    'the start',
    async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200,
    120_000,
  );
  await pause(Number(options.settle) * 1_000);
  const measured = await processes(product.pid);
  const target = {
    name: 'idle',
    cpu: async () =>
      Object.fromEntries(
        await Promise.all(Object.entries(measured).map(async ([name, cpu]) => [name, await cpu()])),
      ),
  };
  for (let i = 0; i < Number(options.repeats); i++) {
    const { idle } = await idleCpu([target], { seconds: Number(options.seconds), settleSeconds: 0 });
    for (const [name, percent] of Object.entries(idle))
      console.log(`${name.padEnd(24)} ${percent.toFixed(1)}`);
    console.log(`${'the services together'.padEnd(24)} ${sumOfServices(idle)?.toFixed(1)}`);
    console.log(`${'all processes'.padEnd(24)} ${sum(idle).toFixed(1)}`);
  }
} finally {
  await product.stop();
  await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
}
