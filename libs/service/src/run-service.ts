import type { Server } from 'node:http';
import { ping, type ServiceName } from '@agentlattice/contracts';
import { NatsBatchServer, PassExceptions, respondTo } from '@agentlattice/messaging';
import { createLogger, type Logger, startTelemetry } from '@agentlattice/observability';
import type { LoggerService, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions, NestMicroservice } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { NatsConnection } from '@nats-io/transport-node';
import { awaitSchema, type MigrationName } from './await-schema.js';
import { type BaseConfig, ConfigFault, readBaseConfig } from './base-config.js';
import { ClosingConnections } from './closing-connections.js';
import { configOrExit, exitForConfigFault } from './config-or-exit.js';
import { healthRoutes } from './health-routes.js';
import type { HealthRegistry } from './health-registry.js';
import { postgresCheck } from './service.module.js';
import { HEALTH, NATS } from './tokens.js';

export interface ServiceOptions {
  readonly service: ServiceName;
  /** The service's module; it imports `ServiceModule.forRoot(service)`. */
  readonly module: Type;
  /** The service starts once these were run; it runs none. */
  readonly migrations: readonly MigrationName[];
  /** The address to listen on; default AL_HEALTH_HOST and AL_HEALTH_PORT. */
  readonly http?: { readonly host: string; readonly port: number };
  /** Default: Fastify with the health routes and the module's controllers. */
  readonly adapter?: FastifyAdapter;
  /** Adds global pipes, filters, hooks and the like before the service listens. */
  readonly configure?: (app: NestFastifyApplication) => void | Promise<void>;
}

const stopWithinMs = 8_000;
/** For the next request on a connection that is idle when the stop begins. Only clients keep connections; probes do not. */
const idleConnectionMs = 1_000;

/** Runs a service until SIGTERM or SIGINT. A process with a faulty configuration prints one sentence and exits with 78. */
export async function runService(options: ServiceOptions): Promise<void> {
  const config = configOrExit(() => readBaseConfig(options.service, process.env));
  const logger = createLogger(options.service, config.logLevel);
  process.on('unhandledRejection', (error) => fail(logger, error));
  process.on('uncaughtException', (error) => fail(logger, error));
  const telemetry = await startTelemetry(options.service);
  let app: NestFastifyApplication | undefined;
  let connections: ClosingConnections | undefined;
  const stop = (signal: string) => {
    logger.info({ signal }, 'stopping');
    // A part that hangs must not prevent the stop; everything that was answered is on disk.
    setTimeout(() => process.exit(1), stopWithinMs).unref();
    const idleMs = options.http === undefined ? 0 : idleConnectionMs;
    void (connections?.begin(idleMs) ?? Promise.resolve())
      .then(() => app?.close())
      .then(() => telemetry.shutdown())
      .then(
        () => process.exit(0),
        (error: unknown) => fail(logger, error),
      );
  };
  // From the beginning: as the first process of a container Node ignores signals without a listener.
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  try {
    await awaitSchema({ databaseUrl: config.databaseUrl, migrations: options.migrations, logger });
    app = await startApp(options, config, logger);
    connections = new ClosingConnections(app.getHttpServer() as Server);
  } catch (error) {
    if (error instanceof ConfigFault) exitForConfigFault(error);
    fail(logger, error);
  }
}

/** Builds and starts the whole service: handlers on NATS first, then HTTP. */
export async function startApp(
  {
    service,
    module,
    http,
    adapter = new FastifyAdapter({ forceCloseConnections: true }),
    configure,
  }: Omit<ServiceOptions, 'migrations'>,
  config: BaseConfig,
  logger: Logger,
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: nestLogger(logger),
    abortOnError: false,
  });
  const health = app.get<HealthRegistry>(HEALTH);
  const nc = app.get<NatsConnection>(NATS);
  healthRoutes(app, health);
  await configure?.(app);
  const commands = new NatsBatchServer(nc, { service, logger });
  // NATS gives a replica its share of the commands whether it is ready or not.
  const postgres = health.watchOf(postgresCheck);
  postgres?.onChange((isAway) => (isAway ? commands.suspend() : commands.resume()));
  const server = app.connectMicroservice<MicroserviceOptions>(
    { strategy: commands },
    // Global filters can be added only before initialization.
    { inheritAppConfig: false, deferInitialization: true },
  );
  server.useGlobalFilters(new PassExceptions());
  // A deferred microservice would run every module's hooks a second time.
  (server as NestMicroservice).setIsInitHookCalled(true);
  respondTo(nc, {
    command: ping(service),
    queue: service,
    logger,
    handler: async () => {
      const faults = await health.faults('service');
      const missing = faults.filter(({ scope }) => scope === 'local').map(({ name }) => name);
      const troubles = faults.filter(({ scope }) => scope !== 'local');
      return {
        ready: missing.length === 0,
        missing,
        troubles: troubles.map(({ name, reason }) => ({ name, reason })),
      };
    },
  });
  // First what the handlers need, then the handlers.
  await app.init();
  await app.startAllMicroservices();
  const port = http?.port ?? config.healthPort;
  if (port === undefined) throw new ConfigFault('The configuration is wrong: AL_HEALTH_PORT is not set.');
  await app.listen(port, http?.host ?? config.healthHost);
  logger.info({ port }, 'listening');
  return app;
}

/** A bug or an unreachable server: the supervisor restarts the process. */
function fail(logger: Logger, error: unknown): never {
  logger.fatal({ err: error }, 'the service stops');
  process.exit(1);
}

function nestLogger(logger: Logger): LoggerService {
  const text = (message: unknown, rest: unknown[]) => {
    const context = rest.at(-1);
    const fields = {
      ...(typeof context === 'string' && { context }),
      ...(message instanceof Error && { err: message }),
    };
    return [fields, message instanceof Error ? message.message : String(message)] as const;
  };
  return {
    log: (message: unknown, ...rest: unknown[]) => logger.debug(...text(message, rest)),
    error: (message: unknown, ...rest: unknown[]) => logger.error(...text(message, rest)),
    warn: (message: unknown, ...rest: unknown[]) => logger.warn(...text(message, rest)),
    debug: (message: unknown, ...rest: unknown[]) => logger.debug(...text(message, rest)),
    verbose: (message: unknown, ...rest: unknown[]) => logger.trace(...text(message, rest)),
    fatal: (message: unknown, ...rest: unknown[]) => logger.fatal(...text(message, rest)),
  };
}
