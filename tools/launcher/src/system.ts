import { join } from 'node:path';
import { readiness, serviceNames, type ServiceName } from '@agentlattice/contracts';
import { type Backends, openBackends } from './backends.js';
import type { Configuration } from './configuration.js';
import { errorText } from './error-text.js';
import { type Credentials, credentialsPath, ensureCredentials } from './first-start/credentials.js';
import { ensureFirstWorkspace } from './first-start/ensure-first-workspace.js';
import { ensureSamplePolicy } from './first-start/ensure-sample-policy.js';
import { loadAllMigrations, migrateAll } from './postgres/migrate-all.js';
import type { DataDirectory } from './data-directory.js';
import { writePrivateFile } from './private-file.js';
import { freePort } from './process/free-port.js';
import { gatewayPort } from './services/gateway-port.js';
import { httpBase, serviceChild } from './services/service-child.js';
import { serviceEnvironment, type ServiceSettings } from './services/service-environment.js';
import { StartRefused } from './start-refused.js';

export interface SystemOptions {
  /** Default: all five. */
  readonly services?: readonly ServiceName[];
  /** Added to the environment of every service. */
  readonly env?: NodeJS.ProcessEnv;
  readonly samplePolicy?: boolean;
}

/** Everything that `npm start` runs, up to the point where services may start. */
export interface System {
  readonly backends: Backends;
  readonly baseUrl: string;
  readonly credentials: Credentials;
  /** The environment one of the services would get. */
  environmentOf(service: ServiceName): NodeJS.ProcessEnv;
  /** Starts the services and waits until each is ready. @throws StartRefused */
  startServices(): Promise<void>;
  /**
   * Starts a further replica of a service, beside the one of `startServices`, and waits until it is ready.
   * @param env added to its environment
   * @throws StartRefused
   */
  startReplica(service: ServiceName, env?: NodeJS.ProcessEnv): Promise<Replica>;
}

/** A further replica of a service. */
export interface Replica {
  /** Its name in the directory's group: `gateway-2` for the second gateway. */
  readonly name: string;
  /** Where a gateway serves the API, and another service answers for its health. */
  readonly baseUrl: string;
}

const serviceReadyWithinMs = 90_000;

/**
 * Starts servers, migrates, and writes the credentials. The directory's group owns all children: close it to stop.
 * @throws StartRefused when the start fails for a known reason
 */
export async function openSystem(
  configuration: Configuration,
  directory: DataDirectory,
  options: SystemOptions = {},
): Promise<System> {
  const { dataDir, secrets, print, group } = directory;
  const services = options.services ?? serviceNames;
  const port = await gatewayPort(configuration.port, configuration.host);
  const baseUrl = httpBase(configuration.host, port);
  const channelSecretsKey = secrets.of('channel-secrets');
  // The servers start while the migrations are loaded.
  const opening = openBackends(configuration, directory);
  const [backends, migrations] = await Promise.all([opening, loadAllMigrations()]);
  await writeServers(dataDir, backends);
  await migrateAll(backends.database, migrations, print);
  const credentials = await ensureCredentials(dataDir, secrets, baseUrl);

  const healthPorts = new Map<ServiceName, number>();
  for (const service of services) healthPorts.set(service, await freePort());
  const settingsOf = (service: ServiceName): ServiceSettings => {
    const healthPort = healthPorts.get(service) ?? 0;
    const { host } = configuration;
    const extra = options.env ?? {};
    return { dataDir, host, port, healthPort, publicUrl: baseUrl, channelSecretsKey, extra };
  };
  const environmentOf = (service: ServiceName) => serviceEnvironment(service, backends, settingsOf(service));

  const startServices = async () => {
    const begin = async (service: ServiceName) =>
      group.supervise(serviceChild(service, backends, settingsOf(service))).ready(serviceReadyWithinMs);
    // The gateway waits for the first workspace: once it says that it is ready, the keys of the credentials file are in force.
    const beginGateway = async () => {
      await ensureFirstWorkspace(credentialsPath(dataDir), environmentOf('gateway'));
      await begin('gateway');
    };
    await Promise.all(services.map((service) => (service === 'gateway' ? beginGateway() : begin(service))));
    if (services.length < serviceNames.length) return;
    await systemReady(baseUrl, print);
    if (options.samplePolicy !== false)
      await ensureSamplePolicy(dataDir, credentials).catch((error: unknown) => {
        print(
          `WARNING: the sample policy could not be made (${errorText(error)}); the next start tries again.`,
        );
      });
  };
  const replicas = new Map<ServiceName, number>();
  const startReplica = async (service: ServiceName, env: NodeJS.ProcessEnv = {}) => {
    const number = (replicas.get(service) ?? 1) + 1;
    replicas.set(service, number);
    const name = `${service}-${String(number)}`;
    const port = await freePort();
    const extra = { ...options.env, ...env };
    const child = serviceChild(service, backends, { ...settingsOf(service), port, healthPort: port, extra });
    await group.supervise({ ...child, name }).ready(serviceReadyWithinMs);
    return { name, baseUrl: httpBase(service === 'gateway' ? configuration.host : '127.0.0.1', port) };
  };
  return { backends, baseUrl, credentials, environmentOf, startServices, startReplica };
}

/** The addresses of the servers with the administrator's passwords, for `al doctor` of the same user: mode 0600, as `secrets.json`. */
async function writeServers(dataDir: string, { database, nats, redisUrl }: Backends): Promise<void> {
  const servers = {
    database_url: database.adminUrl,
    nats_url: nats.url('admin'),
    redis_url: redisUrl ?? null,
  };
  await writePrivateFile(join(dataDir, 'servers.json'), `${JSON.stringify(servers, null, 2)}\n`);
}

/** A service that is only behind, or cannot store for now, recovers by itself: that is reported and does not end the start. */
async function systemReady(baseUrl: string, print: (line: string) => void): Promise<void> {
  const deadline = Date.now() + serviceReadyWithinMs;
  for (;;) {
    const readiness = await readinessOf(baseUrl).catch(() => undefined);
    if (readiness?.ready === true) return;
    if (readiness !== undefined && readiness.missing.every((name) => readiness.degraded.includes(name)))
      return print(`WARNING: not everything is well yet: ${readiness.reasons.join('; ')}.`);
    if (Date.now() >= deadline)
      throw new StartRefused(
        `The services run but do not reach one another; ${baseUrl}/readyz names what is missing.`,
      );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function readinessOf(baseUrl: string) {
  const answer = await fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
  return readiness.parse(await answer.json());
}
