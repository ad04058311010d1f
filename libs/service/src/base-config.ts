import { type ServiceName, serviceNames } from '@agentlattice/contracts';
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

const environment = z.object({
  AL_SERVICE_NAME: z.enum(serviceNames).optional(),
  AL_INSTANCE: z.string().regex(/^[a-z0-9]+$/, 'must consist of lower-case letters and digits'),
  DATABASE_URL: urlOf('postgres:', 'postgresql:'),
  NATS_URL: urlOf('nats:', 'tls:'),
  REDIS_URL: urlOf('redis:', 'rediss:').optional(),
  AL_DATA_DIR: z.string().min(1, 'must name a directory'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  AL_HEALTH_PORT: port.optional(),
  /** Read by the OpenTelemetry SDK, which would only log a wrong one. */
  OTEL_EXPORTER_OTLP_ENDPOINT: urlOf('http:', 'https:').optional(),
});

/** The settings that every service reads from its environment. */
export interface BaseConfig {
  readonly service: ServiceName;
  readonly instance: string;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly redisUrl: string | undefined;
  readonly dataDir: string;
  readonly logLevel: string;
  /** Undefined for the gateway, which serves its health on its own port. */
  readonly healthPort: number | undefined;
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
    logLevel: read.LOG_LEVEL,
    healthPort: read.AL_HEALTH_PORT,
  };
}

/**
 * Reads variables by a schema, for a service's own `config.ts`; an empty variable counts as unset.
 * @throws ConfigFault
 */
export function readEnvironment<T extends z.ZodType>(schema: T, env: NodeJS.ProcessEnv): z.infer<T> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const faults = read.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? 'the environment');
    return given[name] === undefined ? `${name} is not set` : `${name} ${issue.message}`;
  });
  throw new ConfigFault(`The configuration is wrong: ${faults.join('; ')}.`);
}
