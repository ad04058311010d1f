import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { services } from './checkout.mjs';

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export const freePort = () =>
  new Promise((done, failed) => {
    const server = createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** Starts a server whose output goes to a file; it is ours, and ends by its own number. */
export function startServer(command, args, { log, env = process.env, cwd } = {}) {
  const out = openSync(log, 'a');
  const child = spawn(command, args, { stdio: ['ignore', out, out], env, cwd });
  let ended = false;
  child.once('exit', () => (ended = true));
  return {
    pid: child.pid,
    async stop() {
      if (ended) return;
      child.kill('SIGTERM');
      for (let i = 0; i < 100 && !ended; i++) await pause(50);
      if (!ended) child.kill('SIGKILL');
    },
  };
}

/** `npm start` of a checkout, as a newcomer runs it. */
export function startProduct(cwd, dataDir, port) {
  const child = spawn('npm', ['start'], {
    cwd,
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, AL_DATA_DIR: dataDir, PORT: String(port), npm_config_prefix: undefined },
  });
  const exited = new Promise((done) => child.once('exit', done));
  return {
    pid: child.pid,
    async stop() {
      process.kill(-child.pid, 'SIGINT');
      await Promise.race([exited, pause(20_000)]);
    },
  };
}

export async function until(what, probe, withinMs = 30_000) {
  const deadline = Date.now() + withinMs;
  let last;
  for (;;) {
    try {
      const found = await probe();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline)
      throw new Error(`${what} did not happen within ${withinMs} ms`, { cause: last });
    await pause(20);
  }
}

/** A process and all its descendants. */
export async function family(pid) {
  const parents = await parentsOfAll();
  const found = [pid];
  for (const member of found)
    for (const [child, parent] of parents) if (parent === member && !found.includes(child)) found.push(child);
  return found;
}

export async function childrenOf(pid) {
  return [...(await parentsOfAll())].flatMap(([child, parent]) => (parent === pid ? [child] : []));
}

async function parentsOfAll() {
  const parents = new Map();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (parent) parents.set(Number(name), parent);
  }
  return parents;
}

/** Proportional set size of a process and its descendants, in MB. */
export async function pssOf(pid) {
  let kib = 0;
  for (const member of await family(pid)) {
    const rollup = await readFile(`/proc/${member}/smaps_rollup`, 'utf8').catch(() => '');
    kib += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  return Math.round(kib / 102.4) / 10;
}

/** CPU seconds a process and its descendants have used. */
export async function cpuSecondsOf(pid) {
  let seconds = 0;
  for (const member of await family(pid)) seconds += await ownCpuSecondsOf(member);
  return seconds;
}

/** The same without the descendants. */
export async function ownCpuSecondsOf(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

/** The product that npm started: its launcher, and the launcher's children by name (services, `postgres`, `nats`, `redis`). */
export async function productProcesses(npm) {
  let launcher = npm;
  let children = await childrenOf(launcher);
  while (children.length === 1) {
    launcher = children[0];
    children = await childrenOf(launcher);
  }
  const named = {};
  for (const pid of children) {
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    const name =
      services.find((service) => command.includes(`apps/${service}/`)) ??
      ['postgres', 'nats', 'redis'].find((server) => command.includes(server)) ??
      command.slice(0, 40);
    named[name] = pid;
  }
  return { launcher, children: named };
}
