// What an operator of a cluster has: servers, two replicas of each service, and for the gateways one address in front of both.
import { execFile, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { here } from './release.mjs';

const run = promisify(execFile);

/** What Kubernetes gives a pod that is asked to stop, without the pause before it (k8s/base). */
const graceMs = 45_000;

/**
 * Starts PostgreSQL, NATS and Redis, and makes schemas and the first workspace as the release does.
 * @param dataDir a new folder
 */
export async function openServers(release, dataDir) {
  const { freePort, openDataDirectory, openSystem } = await release.launcher();
  const directory = await openDataDirectory({ dataDir, print: () => {} });
  try {
    const configuration = {
      ...{ dataDir, host: '127.0.0.1', port: await freePort() },
      ...{ database: undefined, nats: undefined, redisUrl: undefined },
    };
    const { backends, credentials, environmentOf } = await openSystem(configuration, directory, {
      services: [],
    });
    const { ensureFirstWorkspace } = await release.launcher('first-start/ensure-first-workspace.js');
    await ensureFirstWorkspace(join(dataDir, 'credentials.json'), environmentOf('gateway'));
    return { dataDir, directory, backends, credentials, freePort };
  } catch (error) {
    await directory.group.close();
    throw error;
  }
}

/** The migration job of a release. @returns what it printed */
export async function migrate(release, { dataDir, backends }) {
  const { serviceNames } = await release.library('contracts');
  const urls = serviceNames.map((service) => [
    `DATABASE_URL_${service.replaceAll('-', '_').toUpperCase()}`,
    backends.database.of(service).url,
  ]);
  const { stdout } = await run(process.execPath, [release.migrateProgram], {
    cwd: release.root,
    env: {
      PATH: process.env.PATH,
      AL_DATA_DIR: dataDir,
      DATABASE_URL: backends.database.adminUrl,
      ...Object.fromEntries(urls),
      AL_CREDENTIALS_FILE: join(dataDir, 'credentials.json'),
    },
  });
  return stdout.trim().split('\n');
}

/** Gives NATS the users and permissions of a release, which it reads again without closing connections. */
export async function permitOnNats(release, { dataDir, directory, backends }) {
  const { embeddedNats } = await release.launcher('nats/embedded-nats.js');
  const port = Number(new URL(backends.nats.url('admin')).port);
  await embeddedNats(dataDir, port, directory.secrets, () => {});
  directory.group.get('nats').kill('SIGHUP');
}

/**
 * A replica, once it is ready.
 * @param spawned is told the process as soon as there is one
 */
export async function startReplica(
  release,
  service,
  number,
  { dataDir, backends, freePort },
  { extra, spawned },
) {
  const { serviceChild } = await release.launcher('services/service-child.js');
  const port = await freePort();
  const spec = serviceChild(service, backends, {
    ...{ dataDir, host: '127.0.0.1', port, healthPort: port, extra },
    publicUrl: `http://127.0.0.1:${String(port)}`,
    channelSecretsKey: 'a key for the secrets of channels',
  });
  const out = openSync(join(dataDir, 'logs', `${service}-${String(number)}.log`), 'a');
  const startedAt = performance.now();
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: spec.env(),
    stdio: ['ignore', out, out],
  });
  spawned(child);
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  let ended;
  void exited.then((how) => (ended = how));
  for (const until = Date.now() + 120_000; !(await spec.isReady().catch(() => false)); await pause(50)) {
    if (ended !== undefined)
      throw new Error(`${service} ended with ${String(ended)} while it started; see ${dataDir}/logs`);
    if (Date.now() > until) throw new Error(`${service} was not ready in time; see ${dataDir}/logs`);
  }
  return {
    service,
    port,
    readyAfterMs: performance.now() - startedAt,
    /** What it ended with, unless it runs. */
    ended: () => ended,
    /** @returns how it ended: an exit code or a signal, and after how long */
    async stop() {
      const stoppedAt = performance.now();
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
      const how = await exited;
      clearTimeout(force);
      return { how, afterMs: performance.now() - stoppedAt };
    },
  };
}

export const testkit = () => import(join(here, 'libs', 'testkit', 'dist', 'index.js'));
