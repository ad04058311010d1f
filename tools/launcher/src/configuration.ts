import { isAbsolute, join, resolve } from 'node:path';
import { serviceNames, type ServiceName } from '@agentlattice/contracts';
import { urlVariable } from './postgres/service-role.js';
import { repositoryRoot } from './repository-root.js';
import { StartRefused } from './start-refused.js';

/** The URLs of an external server: the administrator's, and those of single services where they are set. */
export interface ExternalServer {
  readonly url: string;
  readonly services: Readonly<Partial<Record<ServiceName, string>>>;
}

/** The configuration of a start, from the environment. */
export interface Configuration {
  readonly dataDir: string;
  readonly host: string;
  /** Undefined: 3000 or the next free port. */
  readonly port: number | undefined;
  readonly database: ExternalServer | undefined;
  readonly nats: ExternalServer | undefined;
  readonly redisUrl: string | undefined;
}

/**
 * Reads the start's configuration; an empty variable counts as unset.
 * @throws StartRefused that names the faulty variable, never its value, which may contain a password
 */
export function readConfiguration(env: NodeJS.ProcessEnv): Configuration {
  const given = (name: string) => (env[name] === undefined || env[name] === '' ? undefined : env[name]);
  const dataDir = given('AL_DATA_DIR') ?? join(repositoryRoot, '.agentlattice');
  const redisUrl = given('REDIS_URL');
  if (redisUrl !== undefined) checkUrl('REDIS_URL', redisUrl, ['redis:', 'rediss:']);
  return {
    dataDir: isAbsolute(dataDir) ? dataDir : resolve(env['INIT_CWD'] ?? process.cwd(), dataDir),
    host: given('HOST') ?? '127.0.0.1',
    port: readPort(given('PORT')),
    database: external('DATABASE_URL', ['postgres:', 'postgresql:'], given),
    nats: external('NATS_URL', ['nats:', 'tls:'], given),
    redisUrl,
  };
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new StartRefused(`PORT must be a whole number from 1 to 65535, not "${text}".`);
}

function external(
  variable: 'DATABASE_URL' | 'NATS_URL',
  protocols: readonly string[],
  given: (name: string) => string | undefined,
): ExternalServer | undefined {
  const url = given(variable);
  const services: Partial<Record<ServiceName, string>> = {};
  for (const service of serviceNames) {
    const name = urlVariable(variable, service);
    const own = given(name);
    if (own === undefined) continue;
    if (url === undefined)
      throw new StartRefused(`${name} is set but ${variable} is not; set both, or neither.`);
    checkUrl(name, own, protocols);
    services[service] = own;
  }
  if (url === undefined) return undefined;
  checkUrl(variable, url, protocols);
  const missing = serviceNames.filter((s) => services[s] === undefined);
  if (missing.length > 0 && missing.length < serviceNames.length)
    throw new StartRefused(
      `${missing.map((s) => urlVariable(variable, s)).join(', ')} must be set as well: either every service has its own URL, or none.`,
    );
  return { url, services };
}

function checkUrl(name: string, value: string, protocols: readonly string[]): void {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !protocols.includes(url.protocol) || url.hostname === '')
    throw new StartRefused(
      `${name} must be a URL such as ${protocols.at(-1) ?? ''}//user:password@host:port.`,
    );
}
