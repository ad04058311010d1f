import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { type LiveEventFeed, liveFamilies } from '../application/live-event-feed.js';

/** Tells the feed that something was published; what it was is read from the stream. A notice that is lost costs two seconds. */
export class LiveEventNotices {
  private readonly subscriptions: Subscription[] = [];
  private stopped = false;

  constructor(
    private readonly nc: NatsConnection,
    private readonly feed: Pick<LiveEventFeed, 'notice'>,
  ) {}

  start(): void {
    for (const family of liveFamilies)
      this.subscriptions.push(
        this.nc.subscribe(`events.*.${family}.>`, { callback: () => this.feed.notice() }),
      );
    void this.noticeReconnects();
  }

  stop(): void {
    this.stopped = true;
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private async noticeReconnects(): Promise<void> {
    for await (const status of this.nc.status()) {
      if (this.stopped) return;
      if (status.type === 'reconnect') this.feed.notice();
    }
  }
}
