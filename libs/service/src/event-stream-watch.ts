import { storeProbe } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { NatsConnection } from '@nats-io/transport-node';
import { Unhealthy } from './health-registry.js';
import { idle, PeriodicTask } from '@agentlattice/event-store';

const everyMs = 1_000;
/** While the stream stores. After a failure the next probe follows a second later. */
const storingMs = 3_000;
const withinMs = 1_500;
/** One failed write may be a restart of the server. */
const failuresUntilRefusing = 2;

/**
 * Probes whether the event stream stores, by storing a message in it every three seconds, and every second after a failure; no query
 * of the server shows it. Two consecutive failures are a refusal, which the next success ends.
 */
export class EventStreamWatch {
  private failures = 0;
  private since = 0;
  private started = false;
  private stopped = false;
  private readonly work: PeriodicTask;

  constructor(
    private readonly nc: NatsConnection,
    private readonly logger: Logger,
  ) {
    this.work = new PeriodicTask('probing the event stream', everyMs, () => this.probe(), logger, storingMs);
  }

  /** Begins once: a hybrid Nest application calls its hooks for each of its parts. */
  start(): this {
    if (this.started) return this;
    this.started = true;
    this.work.start();
    void this.probeOnReconnect();
    return this;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.work.stop();
  }

  /** The reason, as a sentence, why events cannot be published; null while the stream stores. */
  get refusal(): string | null {
    if (this.failures < failuresUntilRefusing) return null;
    const seconds = Math.round((performance.now() - this.since) / 1_000);
    return `the event stream has refused writes for ${String(seconds)} s`;
  }

  /** @throws Unhealthy while the stream refuses */
  check(): void {
    const { refusal } = this;
    if (refusal !== null) throw new Unhealthy([{ name: 'event stream', reason: refusal }]);
  }

  private async probe(): Promise<typeof idle | undefined> {
    const startedAt = performance.now();
    try {
      await storeProbe(this.nc, withinMs);
      if (this.failures >= failuresUntilRefusing) this.logger.info('the event stream stores again');
      this.failures = 0;
      return idle;
    } catch (error) {
      if (this.stopped) return undefined;
      if (this.failures === 0) this.since = startedAt;
      this.failures += 1;
      if (this.failures === failuresUntilRefusing)
        this.logger.error({ err: error }, 'the event stream refuses writes: submissions are refused');
      return undefined;
    }
  }

  private async probeOnReconnect(): Promise<void> {
    for await (const { type } of this.nc.status()) {
      if (this.stopped) return;
      if (type === 'reconnect') this.work.wake();
    }
  }
}
