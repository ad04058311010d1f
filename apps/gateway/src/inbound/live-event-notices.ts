import type { NatsConnection, Subscription } from '@nats-io/transport-node';

/**
 * Notices of published events; the events themselves are read from the stream. Subscribed only to families that a listener wants.
 * After a lost notice the stream is read two seconds later.
 */
export class LiveEventNotices {
  private readonly subscriptions = new Map<string, Subscription>();
  private stopped = false;

  constructor(
    private readonly nc: NatsConnection,
    private readonly notice: () => void,
  ) {
    void this.noticeReconnects();
  }

  follow(families: readonly string[]): void {
    for (const [family, subscription] of this.subscriptions)
      if (!families.includes(family)) {
        subscription.unsubscribe();
        this.subscriptions.delete(family);
      }
    for (const family of families)
      if (!this.subscriptions.has(family) && !this.stopped)
        this.subscriptions.set(
          family,
          this.nc.subscribe(`events.*.${family}.>`, { callback: () => this.notice() }),
        );
  }

  stop(): void {
    this.follow([]);
    this.stopped = true;
  }

  private async noticeReconnects(): Promise<void> {
    for await (const status of this.nc.status()) {
      if (this.stopped) return;
      if (status.type === 'reconnect') this.notice();
    }
  }
}
