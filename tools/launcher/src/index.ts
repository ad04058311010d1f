export { type Backends, openBackends } from './backends.js';
export { type Configuration, type ExternalServer, readConfiguration } from './configuration.js';
export {
  type Credentials,
  credentialsPath,
  ensureCredentials,
  readCredentials,
} from './first-start/credentials.js';
export { samplePolicy } from './first-start/ensure-sample-policy.js';
export { type Replica, type System, type SystemOptions, openSystem } from './system.js';
export { findNatsServer } from './nats/nats-binary.js';
export { type NatsAccess, ownNats } from './nats/nats-access.js';
export { natsOptions } from './nats/nats-client.js';
export { type NatsPermissions, renderAuthorization } from './nats/nats-config.js';
export { type DatabaseAccess, type ServiceDatabase, embeddedDatabase } from './postgres/database-access.js';
export { withClient } from './postgres/database-client.js';
export { type MigrationClass, loadMigrations, runMigrations } from './postgres/run-migrations.js';
export { jobsSchema, roleOf, schemaOf } from './postgres/service-role.js';
export { type DataDirectory, openDataDirectory } from './data-directory.js';
export { findRedisServer } from './redis/embedded-redis.js';
export { extractFromWheel } from './wheels/extract-from-wheel.js';
export { ProgramCache } from './wheels/program-cache.js';
export { configuredPythonIndex } from './wheels/python-index.js';
export { findOnPath } from './process/find-on-path.js';
export { freePort } from './process/free-port.js';
export { reapLeftovers, writePidFile } from './process/pid-file.js';
export { repositoryRoot } from './repository-root.js';
export { StartRefused } from './start-refused.js';
