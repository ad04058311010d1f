import { type ChannelType, channelTypes } from '@agentlattice/contracts';
import { count, inSpan, type Logger, measure, observe, secondsSince } from '@agentlattice/observability';
import { idle, PeriodicTask } from '@agentlattice/service';
import { randomUUID } from 'node:crypto';
import type { Outcome } from '../domain/outcome.js';
import type { ChannelSenders } from '../outbound/channels/channel-sender.js';
import type { ClaimedDelivery, DeliveryQueue } from '../outbound/delivery-queue.js';
import type { SecretBox } from '../outbound/secret-box.js';
import { sendThrough } from '../outbound/send-through.js';
import type { DisableChannel } from './disable-channel.js';

export interface SendDeliveriesPorts {
  readonly queue: Pick<DeliveryQueue, 'claim' | 'settle' | 'release' | 'hasPending' | 'oldestDueSeconds'>;
  readonly disableChannel: DisableChannel;
  readonly senders: ChannelSenders;
  readonly box: SecretBox;
  readonly logger: Logger;
  readonly pollMs?: number;
  readonly timeoutMs?: number;
}

/** Limits per process: of one receiver (for mail: one workspace), of one workspace, of all. A slow receiver uses up only its own. */
const perLane = 8;
const perWorkspace = 64;
const atOnce = 256;
const defaultTimeoutMs = 15_000;
/** While no delivery is pending. New deliveries of this process wake it. */
const idlePauses = 8;
/** Added to the time-out of a request: a longer claim belongs to a process that died. */
const graceMs = 5_000;

interface UnderWay {
  readonly lane: string;
  readonly workspace: string;
  readonly type: ChannelType;
  readonly done: Promise<void>;
}

/**
 * Sends due deliveries. The database decides which are due; a wake-up only shortens the wait. Each delivery is claimed for as long as
 * an attempt can take, so that another process sends it when this one dies: at least once, and none is lost.
 */
export class SendDeliveries {
  private readonly claim = randomUUID();
  private readonly underWay = new Map<string, UnderWay>();
  private readonly stopping = new AbortController();
  private readonly work: PeriodicTask;
  private readonly timeoutMs: number;
  private endGauge: () => void = () => {};

  constructor(private readonly ports: SendDeliveriesPorts) {
    this.timeoutMs = ports.timeoutMs ?? defaultTimeoutMs;
    const pollMs = ports.pollMs ?? 1_000;
    this.work = new PeriodicTask(
      'sending deliveries',
      pollMs,
      () => this.turn(),
      ports.logger,
      pollMs * idlePauses,
    );
  }

  start(): void {
    // From zero, so that the first one is an increase.
    for (const channel of channelTypes) count('agentlattice.delivery.dead_letters', { channel }, 0);
    this.endGauge = observe('agentlattice.delivery.oldest_due', async () => [
      { value: await this.ports.queue.oldestDueSeconds(), labels: {} },
    ]);
    this.work.start();
  }

  /** To be called when a delivery may be due. */
  wake(): void {
    this.work.wake();
  }

  async stop(): Promise<void> {
    this.endGauge();
    await this.work.stop();
    this.stopping.abort();
    await Promise.all([...this.underWay.values()].map(({ done }) => done));
    await this.ports.queue.release(this.claim).catch(() => {});
  }

  private async turn(): Promise<typeof idle | undefined> {
    await this.sendDue();
    return this.underWay.size === 0 && !(await this.ports.queue.hasPending()) ? idle : undefined;
  }

  private async sendDue(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const free = atOnce - this.underWay.size;
      if (free <= 0) return;
      const claimed = await this.ports.queue.claim(this.claim, this.timeoutMs + graceMs, {
        free,
        perLane,
        perWorkspace,
        lanes: this.counts('lane'),
        workspaces: this.counts('workspace'),
        types: this.freeByType(),
      });
      if (claimed.length === 0) return;
      for (const delivery of claimed) this.begin(delivery);
    }
  }

  private begin(delivery: ClaimedDelivery): void {
    const { delivery_id, lane, org_id: workspace, type } = delivery;
    const attributes = { 'delivery.id': delivery_id, 'delivery.type': type };
    const { traceparent } = delivery;
    const done = inSpan('deliver', { traceparent, attributes, kind: 'client' }, () => this.send(delivery))
      .catch((error: unknown) =>
        // The claim expires, and the delivery is sent again.
        this.ports.logger.warn({ err: error, delivery_id }, 'a delivery could not be settled'),
      )
      .finally(() => {
        this.underWay.delete(delivery_id);
        this.work.wake();
      });
    this.underWay.set(delivery_id, { lane, workspace, type, done });
  }

  private async send(delivery: ClaimedDelivery): Promise<void> {
    const { queue, disableChannel, logger } = this.ports;
    const startedAt = new Date();
    const began = performance.now();
    if (delivery.attempts === 0)
      measure(
        'agentlattice.delivery.wait',
        Math.max(0, Date.now() - Date.parse(delivery.event.time)) / 1_000,
        {
          channel: delivery.type,
        },
      );
    const outcome = await this.attempt(delivery);
    measure('agentlattice.delivery.duration', secondsSince(began), {
      channel: delivery.type,
      outcome: outcome.kind === 'failed' ? 'failed' : 'delivered',
    });
    // The process stops: the delivery is released, and the attempt is not counted.
    if (outcome.kind === 'failed' && this.stopping.signal.aborted) return;
    const givenUp = await queue.settle(delivery, {
      startedAt,
      durationMs: Date.now() - startedAt.getTime(),
      outcome,
      jitter: Math.random(),
    });
    if (outcome.kind === 'failed')
      // Names of hosts, addresses and answers of servers are kept with the delivery only (ADR 18).
      logger.info({ delivery_id: delivery.delivery_id, status: outcome.status }, 'a delivery failed');
    if (givenUp !== null && delivery.channel_id !== null)
      await disableChannel(delivery.org_id, delivery.channel_id, givenUp, delivery.delivery_id);
  }

  private async attempt(delivery: ClaimedDelivery): Promise<Outcome> {
    const { channel, channel_id: channelId, delivery_id: deliveryId, type, target, event } = delivery;
    if (channelId !== null && channel === null)
      return failed('the channel was disabled or deleted', { final: true });
    try {
      const { outcome } = await sendThrough(this.ports, {
        deliveryId,
        channelId,
        type,
        settings: channel?.settings ?? { to: [target] },
        secret: channel?.secret ?? null,
        formerSecret: channel?.former_secret ?? null,
        event,
        timeoutMs: this.timeoutMs,
        signal: this.stopping.signal,
      });
      return outcome;
    } catch (error) {
      this.ports.logger.error({ err: error, delivery_id: deliveryId }, 'a delivery could not be sent');
      return failed('it could not be sent; the notifier’s log says why');
    }
  }

  private freeByType(): Partial<Record<ChannelType, number>> {
    const counts = this.counts('type');
    return Object.fromEntries(
      Object.entries(this.ports.senders).flatMap(([type, { atOnce: bound }]) =>
        bound === undefined ? [] : [[type, Math.max(0, bound - (counts[type] ?? 0))]],
      ),
    );
  }

  private counts(of: 'lane' | 'workspace' | 'type'): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const entry of this.underWay.values()) counts[entry[of]] = (counts[entry[of]] ?? 0) + 1;
    return counts;
  }
}

const failed = (error: string, more: { final?: boolean } = {}): Outcome => ({
  kind: 'failed',
  error,
  status: null,
  answer: null,
  ...more,
});
