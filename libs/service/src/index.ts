export { Background, type Stoppable } from './background.js';
export {
  type BaseConfig,
  ConfigFault,
  type KeyFolder,
  readBaseConfig,
  readEnvironment,
} from './base-config.js';
export { configOrExit } from './config-or-exit.js';
export {
  type GrantClaims,
  type GrantSettings,
  type GrantSigner,
  grantSigner,
  readGrantSettings,
} from './grant-signer.js';
export { Batcher, type BatcherOptions } from './batcher.js';
export { EventStreamWatch } from './event-stream-watch.js';
export {
  type HealthCheck,
  type HealthFault,
  HealthRegistry,
  type HealthScope,
  Unhealthy,
} from './health-registry.js';
export { type Lag, type LagKind, LagRegistry, type ProjectionLag } from './lag-registry.js';
export { encodeCursor, maxPageBytes, page, readCursor } from './page.js';
export { idle, PeriodicTask } from '@agentlattice/event-store';
export { relayProvider } from './relay-provider.js';
export { RevisionWatch, type RevisionWatchOptions } from './revision-watch.js';
export { awaitSchema, type MigrationName } from './await-schema.js';
export { runService, type ServiceOptions, startApp } from './run-service.js';
export { openPool, postgresCheck, ServiceModule } from './service.module.js';
export { type SigningKeys, signingKeys } from './signing-key.js';
export { COMMANDS, CONFIG, HEALTH, LAGS, LOGGER, NATS, POOL } from './tokens.js';
export { RecoverySweep } from './recovery-sweep.js';
