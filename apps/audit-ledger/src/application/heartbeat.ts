import { heartbeatWantedForMs, ledgerHeartbeatMs } from '@agentlattice/contracts';

/**
 * Sends heartbeats to the gateways while they ask for them. Until the first gateway asks, it sends them all the time, because
 * gateways of older releases do not ask.
 */
export class Heartbeat {
  private timer: NodeJS.Timeout | undefined;
  private wantedUntil = Number.POSITIVE_INFINITY;
  private running = false;

  constructor(private readonly beat: () => void) {}

  start(): void {
    this.running = true;
    this.beatAndGoOn();
  }

  /** A gateway asked for heartbeats; if they had stopped, one is sent at once. */
  want(): void {
    this.wantedUntil = performance.now() + heartbeatWantedForMs;
    if (this.timer === undefined && this.running) this.beatAndGoOn();
  }

  stop(): void {
    this.running = false;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private beatAndGoOn(): void {
    this.timer = setInterval(() => {
      if (performance.now() <= this.wantedUntil) {
        this.beat();
        return;
      }
      clearInterval(this.timer);
      this.timer = undefined;
    }, ledgerHeartbeatMs);
    this.timer.unref();
    this.beat();
  }
}
