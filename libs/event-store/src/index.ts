export { appendEvents, appendFreeEvents, VersionConflict } from './append-events.js';
export { connectionLimits, isSilence, noticeVanishedPeer } from './connection-limits.js';
export { erasableValues, storable } from './erasable-values.js';
export { eventStoreMigration, inboxMigration } from './event-store-migration.js';
export {
  type DecideEach,
  EventStore,
  type Outcome,
  type StreamRef,
  type Update,
  type Updated,
  type UpdateMany,
} from './event-store.js';
export {
  type ProjectedEvent,
  type Projection,
  type ProjectionOptions,
  startProjection,
} from './projection.js';
export { type Relay, type RelayOptions, startRelay } from './relay.js';
export { replay } from './replay.js';
export type { DecidedEvent, EventMeta, NewEvent, StoredEvent } from './stored-event.js';
export { Ending, inTransaction, isStalePlan, type Statement, type Tx } from './transaction.js';
