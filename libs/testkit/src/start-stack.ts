import type { ServiceName } from '@agentlattice/contracts';
import { freePort, openSystem, type Replica } from '@agentlattice/launcher';
import { wipeNats } from './start-nats.js';
import type { RunningSystem } from './running-system.js';
import { testDataDirectory } from './test-data-directory.js';

export interface StackOptions {
  /** The services that `startServices` starts; default all five. */
  readonly services?: readonly ServiceName[];
  /** Added to the environment of each service. */
  readonly env?: NodeJS.ProcessEnv;
  /** Whether the first start makes the sample policy; default true. */
  readonly samplePolicy?: boolean;
}

/** A whole system for one test file: new servers, migrated schemas and credentials; services on request. */
export interface Stack extends RunningSystem {
  readonly dataDir: string;
  readonly adminUrl: string;
  databaseUrl(service: ServiceName): string;
  natsUrl(user: ServiceName | 'admin'): string;
  /** Undefined when timers are in PostgreSQL. */
  readonly redisUrl: string | undefined;
  /** The environment a service of this stack would get, for tests that start one themselves. */
  environmentOf(service: ServiceName): NodeJS.ProcessEnv;
  /** Starts the services and waits until all are ready. */
  startServices(): Promise<void>;
  /** Starts a further replica of a service and waits until it is ready; `kill`, `halt` and the like take its name. */
  startReplica(service: ServiceName, env?: NodeJS.ProcessEnv): Promise<Replica>;
  /** Sends a signal to a service or server (`postgres`, `nats`, `redis`); a process that dies is restarted. */
  kill(name: string, signal?: NodeJS.Signals): void;
  /** The process id; undefined between two runs. */
  pid(name: string): number | undefined;
  /** Waits until a killed service or server is ready again. */
  ready(name: string): Promise<void>;
  /** Stops a service or server until `resume`. */
  halt(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  wipeNats(): Promise<void>;
  /** The lines that the system printed on its terminal. */
  readonly printed: readonly string[];
  stop(): Promise<void>;
}

/** The environment may name a mail server; tests must not send to it. */
export const notOfThisMachine = { SMTP_URL: '', MAIL_FROM: '', EGRESS_ALLOW: '', AL_PUBLIC_URL: '' };

/** Starts the servers of a stack; with `await stack.startServices()` the whole system runs. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const directory = await testDataDirectory('migrated');
  try {
    const configuration = {
      dataDir: directory.dataDir,
      host: '127.0.0.1',
      port: await freePort(),
      database: undefined,
      nats: undefined,
      redisUrl: process.env['TEST_REDIS_URL'],
    };
    const env = { ...notOfThisMachine, ...options.env };
    const system = await openSystem(configuration, directory, { ...options, env });
    const member = (name: string) => {
      const found = directory.group.get(name);
      if (found === undefined) throw new Error(`${name} does not run in this stack`);
      return found;
    };
    return {
      dataDir: directory.dataDir,
      adminUrl: system.backends.database.adminUrl,
      databaseUrl: (service) => system.backends.database.of(service).url,
      natsUrl: system.backends.nats.url,
      redisUrl: system.backends.redisUrl,
      baseUrl: system.baseUrl,
      credentials: system.credentials,
      environmentOf: system.environmentOf,
      startServices: system.startServices,
      startReplica: system.startReplica,
      kill: (name, signal = 'SIGKILL') => void member(name).kill(signal),
      pid: (name) => member(name).pid,
      ready: (name) => member(name).ready(60_000),
      halt: (name) => member(name).stop(),
      resume: async (name) => {
        member(name).start();
        await member(name).ready(60_000);
      },
      wipeNats: () => wipeNats(directory),
      printed: directory.printed,
      stop: directory.remove,
    };
  } catch (error) {
    await directory.remove();
    throw error;
  }
}
