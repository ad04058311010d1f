import { liveEventOf } from '@agentlattice/contracts';
import { eventStreamRange, readEventStream } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { NatsConnection } from '@nats-io/transport-node';
import { LiveEventFeed } from './application/live-event-feed.js';
import { LiveEventStreams } from './inbound/http/live-event-streams.js';
import { Realtime } from './inbound/http/realtime.js';
import { LiveEventNotices } from './inbound/live-event-notices.js';
import type { PrincipalDirectory } from './outbound/principal-directory.js';

/** All that live events need, made together: the streams judge who may listen, which the feed asks before it tells. */
export interface LiveEvents {
  readonly streams: LiveEventStreams;
  readonly realtime: Realtime;
  /** Ends all connections; they come back elsewhere. */
  readonly stop: () => Promise<void>;
}

export function makeLiveEvents(
  nc: NatsConnection,
  directory: PrincipalDirectory,
  logger: Logger,
): LiveEvents {
  const feed: LiveEventFeed = new LiveEventFeed({
    range: () => eventStreamRange(nc),
    read: (query) => readEventStream(nc, query),
    view: liveEventOf,
    mayTell: () => streams.mayTell(),
    follow: (families) => notices.follow(families),
    logger,
  });
  const notices = new LiveEventNotices(nc, () => feed.notice());
  const streams: LiveEventStreams = new LiveEventStreams({ feed, directory, logger });
  const realtime = new Realtime({ streams, directory, logger });
  return {
    streams,
    realtime,
    stop: async () => {
      realtime.stop();
      streams.stop();
      notices.stop();
      await feed.stop();
    },
  };
}
