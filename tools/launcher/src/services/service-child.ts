import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceName } from '@agentlattice/contracts';
import type { Backends } from '../backends.js';
import type { ChildSpec } from '../process/supervised-process.js';
import { repositoryRoot } from '../repository-root.js';
import { StartRefused } from '../start-refused.js';
import { memoryOptions } from './memory-limits.js';
import { presentLogLine } from './present-log-line.js';
import { type ServiceSettings, serviceEnvironment } from './service-environment.js';

/**
 * The child process of a service.
 * @throws StartRefused when it was not built
 */
export function serviceChild(service: ServiceName, backends: Backends, settings: ServiceSettings): ChildSpec {
  const main = `apps/${service}/dist/bundle/main.js`;
  if (!existsSync(join(repositoryRoot, main)))
    throw new StartRefused(`${main} is missing; run npm run build.`);
  const [host, port] =
    service === 'gateway' ? [settings.host, settings.port] : ['127.0.0.1', settings.healthPort];
  return {
    name: service,
    command: process.execPath,
    // A relative path, so that people and monitors find a service by `apps/<name>` in its command line.
    args: [...memoryOptions(service), '--import', './tools/service-preload.mjs', main],
    cwd: repositoryRoot,
    env: () => serviceEnvironment(service, backends, settings),
    stopSignal: 'SIGTERM',
    backend: false,
    isReady: () => isOk(`${httpBase(host, port)}/readyz?scope=local`),
    present: presentLogLine,
  };
}

/** The address of a server that listens on `host`. */
export function httpBase(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${String(port)}`;
}

/** Whether a GET is answered with success within two seconds. */
export async function isOk(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await answer.body?.cancel();
  return answer.ok;
}
