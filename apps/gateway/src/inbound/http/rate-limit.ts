import { Refused } from '@agentlattice/contracts';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { GatewayReply } from './http-request.js';

const windowSeconds = 60;

/** Requests a minute and key, per gateway process; with the RateLimit headers of the IETF draft. */
export class RateLimit {
  private readonly limiter: RateLimiterMemory | undefined;

  /** @param perMinute 0: no limit */
  constructor(private readonly perMinute: number) {
    this.limiter =
      perMinute === 0 ? undefined : new RateLimiterMemory({ points: perMinute, duration: windowSeconds });
  }

  /** @throws Refused RATE_LIMITED */
  async take(keyId: string, reply: GatewayReply): Promise<void> {
    if (this.limiter === undefined) return;
    try {
      this.announce(reply, await this.limiter.consume(keyId));
    } catch (taken) {
      if (!(taken instanceof RateLimiterRes)) throw taken;
      this.announce(reply, taken);
      reply.header('retry-after', String(Math.max(1, Math.ceil(taken.msBeforeNext / 1000))));
      throw new Refused('RATE_LIMITED', `this key may make ${String(this.perMinute)} requests a minute`);
    }
  }

  private announce(reply: GatewayReply, { remainingPoints, msBeforeNext }: RateLimiterRes): void {
    reply.header('ratelimit-policy', `"key";q=${String(this.perMinute)};w=${String(windowSeconds)}`);
    reply.header(
      'ratelimit',
      `"key";r=${String(remainingPoints)};t=${String(Math.ceil(msBeforeNext / 1000))}`,
    );
  }
}
