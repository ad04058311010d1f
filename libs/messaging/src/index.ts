export { type Added, BatchPublisher, type BatchPublisherOptions } from './batch-publisher.js';
export { FairQueue } from './fair-queue.js';
export {
  type BatchContext,
  type BatchHandler,
  batchLimits,
  type BatchSubscription,
  Forward,
  publishBatches,
  subscribeBatches,
} from './batches.js';
export { CommandClient, type RequestOptions } from './command-client.js';
export { connectNats, type NatsOptions } from './connect-nats.js';
export { consumeEvents, type EventConsumer, type EventConsumerOptions } from './consume-events.js';
export {
  ensureEventStream,
  eventStreamAgeMs,
  eventStreamState,
  type EventStreamState,
  storeProbe,
} from './event-stream.js';
export {
  type EventStreamRange,
  eventStreamRange,
  readEventStream,
  type ReadEventStream,
  type StreamedEvents,
} from './read-event-stream.js';
export { HedgingBudget } from './hedging-budget.js';
export { isBackendAway } from './is-backend-away.js';
export {
  type CommandContext,
  type HandlerExtras,
  NatsBatchServer,
  PassExceptions,
  type Responder,
  respondTo,
} from './nats-batch-server.js';
