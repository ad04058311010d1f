import { type ServiceName, serviceNames } from '@agentlattice/contracts';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** The environment of a service has a fault; the message names it in one sentence. */
export class ConfigFault extends Error {
  override readonly name = 'ConfigFault';
}

const urlOf = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  });

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number')
  .transform(Number)
  .refine((n) => n <= 65_535, 'must be a port number');

/** The name of this run of the process where none is given; one for all readings of the configuration. */
const ownInstance = `i${randomBytes(5).toString('hex')}`;

const environment = z.object({
  AL_SERVICE_NAME: z.enum(serviceNames).optional(),
  AL_INSTANCE: z
    .string()
    .regex(/^[a-z0-9]+$/, 'must consist of lower-case letters and digits')
    .default(ownInstance),
  DATABASE_URL: urlOf('postgres:', 'postgresql:'),
  NATS_URL: urlOf('nats:', 'tls:'),
  REDIS_URL: urlOf('redis:', 'rediss:').optional(),
  AL_DATA_DIR: z.string().min(1, 'must name a directory'),
  AL_KEYS_DIR: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  AL_HEALTH_PORT: port.optional(),
  /** Probes of a cluster come from outside of the pod. */
  AL_HEALTH_HOST: z.string().min(1).default('127.0.0.1'),
  /** This and the next are read by `startTelemetry` and the OpenTelemetry SDK, which do not refuse a wrong one. */
  OTEL_EXPORTER_OTLP_ENDPOINT: urlOf('http:', 'https:').optional(),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1')
    .optional(),
});

/** The settings that every service reads from its environment. */
export interface BaseConfig {
  readonly service: ServiceName;
  readonly instance: string;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly redisUrl: string | undefined;
  readonly dataDir: string;
  readonly keys: KeyFolder;
  readonly logLevel: string;
  /** Undefined for the gateway, which serves its health on its own port. */
  readonly healthPort: number | undefined;
  readonly healthHost: string;
}

/** Where the private keys of a service are. */
export interface KeyFolder {
  readonly path: string;
  /** The keys are put there by others (a mounted Secret): a missing one is a fault, and none is made. */
  readonly isGiven: boolean;
}

/** @throws ConfigFault that names the faulty variable, never its value, which may contain a password */
export function readBaseConfig(service: ServiceName, env: NodeJS.ProcessEnv): BaseConfig {
  const read = readEnvironment(environment, env);
  if (read.AL_SERVICE_NAME !== undefined && read.AL_SERVICE_NAME !== service)
    throw new ConfigFault(`AL_SERVICE_NAME is ${read.AL_SERVICE_NAME}, but this is the ${service}.`);
  return {
    service,
    instance: read.AL_INSTANCE,
    databaseUrl: read.DATABASE_URL,
    natsUrl: read.NATS_URL,
    redisUrl: read.REDIS_URL,
    dataDir: read.AL_DATA_DIR,
    keys:
      read.AL_KEYS_DIR === undefined
        ? { path: join(read.AL_DATA_DIR, 'keys'), isGiven: false }
        : { path: read.AL_KEYS_DIR, isGiven: true },
    logLevel: read.LOG_LEVEL,
    healthPort: read.AL_HEALTH_PORT,
    healthHost: read.AL_HEALTH_HOST,
  };
}

/**
 * Reads variables by a schema, for a service's own `config.ts`; an empty variable counts as unset. Where `NAME` is unset and
 * `NAME_FILE` is set, the value is the content of that file: secrets in the environment get into dumps and child processes.
 * @throws ConfigFault
 */
export function readEnvironment<T extends z.ZodType>(schema: T, env: NodeJS.ProcessEnv): z.infer<T> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const given = { ...contentsOfFiles(schema, set), ...set };
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const faults = read.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? 'the environment');
    return given[name] === undefined ? `${name} is not set` : `${name} ${issue.message}`;
  });
  throw new ConfigFault(`The configuration is wrong: ${faults.join('; ')}.`);
}

function contentsOfFiles(schema: z.ZodType, set: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const contents: NodeJS.ProcessEnv = {};
  for (const name of names) {
    const file = set[`${name}_FILE`];
    if (file === undefined || set[name] !== undefined) continue;
    try {
      contents[name] = readFileSync(file, 'utf8').trim();
    } catch {
      throw new ConfigFault(`The configuration is wrong: the file of ${name}_FILE cannot be read.`);
    }
  }
  return contents;
}
