import { liveEventOf } from '@agentlattice/contracts';
import { eventStreamRange, readEventStream } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { LOGGER, NATS } from '@agentlattice/service';
import { Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { LiveEventFeed } from './application/live-event-feed.js';
import { LiveEventStreams } from './inbound/http/live-event-streams.js';
import { Realtime } from './inbound/http/realtime.js';
import { LiveEventNotices } from './inbound/live-event-notices.js';
import type { PrincipalDirectory } from './outbound/principal-directory.js';
import { PrincipalsModule } from './principals.module.js';
import { DIRECTORY, LIVE_EVENTS } from './tokens.js';

/** The parts of live events. They are made together, because the feed asks the streams whether it may deliver. */
export interface LiveEvents {
  readonly streams: LiveEventStreams;
  readonly realtime: Realtime;
  /** Ends all connections; the clients reconnect to another gateway. */
  readonly stop: () => Promise<void>;
}

function makeLiveEvents(nc: NatsConnection, directory: PrincipalDirectory, logger: Logger): LiveEvents {
  const feed: LiveEventFeed = new LiveEventFeed({
    range: () => eventStreamRange(nc),
    read: (query) => readEventStream(nc, query),
    view: liveEventOf,
    mayDeliver: () => streams.mayDeliver(),
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

@Module({
  imports: [PrincipalsModule],
  providers: [{ provide: LIVE_EVENTS, inject: [NATS, DIRECTORY, LOGGER], useFactory: makeLiveEvents }],
  exports: [LIVE_EVENTS],
})
export class LiveEventsModule implements OnModuleDestroy {
  constructor(@Inject(LIVE_EVENTS) private readonly liveEvents: LiveEvents) {}

  /** Before HTTP closes, because answers without an end would keep it open. */
  async onModuleDestroy(): Promise<void> {
    await this.liveEvents.stop();
  }
}
