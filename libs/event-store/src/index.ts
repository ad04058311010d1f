export { appendEvents, identified, VersionConflict } from './append-events.js';
export { announceCommitted, type CommittedListener, onCommitted } from './committed-events.js';
export { connectionLimits, keepaliveStatement } from './connection-limits.js';
export { DatabaseClient, DatabasePool, DatabaseUnavailable } from './database-client.js';
export { EventPublisher, type EventSource, untilAborted } from './event-publisher.js';
export { erasableValues, storable } from './erasable-values.js';
export {
  eventStoreMigration,
  inboxMigration,
  numberingInCommitMigration,
  runStatements,
} from './event-store-migration.js';
export {
  type DecideEach,
  EventStore,
  type Outcome,
  type StreamRef,
  type Update,
  type Updated,
  type UpdateMany,
} from './event-store.js';
export { indexOfCommand } from './index-of-command.js';
export { type Intake, intakeLagSeconds, inTransitSeconds, relayLagSeconds } from './lag.js';
export {
  type ProjectedEvent,
  type Projection,
  type ProjectionOptions,
  startProjection,
} from './projection.js';
export { idle, PeriodicTask } from './periodic-task.js';
export { inOrder, readToHead } from './read-source.js';
export { RetriedWork } from './retried-work.js';
export { type Relay, type RelayOptions, startRelay } from './relay.js';
export { replay } from './replay.js';
export {
  foldStored,
  readEventData,
  readStoredEvent,
  storedColumns,
  StoredEventUnreadable,
  toWireEvent,
} from './stored-event.js';
export type {
  DecidedEvent,
  Erasable,
  EventMeta,
  EventRow,
  NewEvent,
  NumberedEvent,
  StoredEvent,
  WholeEventRow,
} from './stored-event.js';
export type { Statement } from './statement.js';
export {
  Ending,
  inOneRoundTrip,
  inTransaction,
  isStalePlan,
  type Queryable,
  type Tx,
} from './transaction.js';
export { Gathering } from './gathering.js';
