import { Refused } from '@agentlattice/contracts';
import { FixedWindow, type Taken } from '../../domain/fixed-window.js';
import type { GatewayReply } from './http-request.js';

const windowSeconds = 60;

/** Requests a minute and key, per gateway process; with the RateLimit headers of the IETF draft. */
export class RateLimit {
  private readonly window: FixedWindow | undefined;

  /** @param perMinute 0: no limit */
  constructor(private readonly perMinute: number) {
    this.window = perMinute === 0 ? undefined : new FixedWindow(perMinute, windowSeconds * 1_000);
  }

  /** @throws Refused RATE_LIMITED */
  take(keyId: string, reply: GatewayReply): void {
    if (this.window === undefined) return;
    const taken = this.window.take(keyId, performance.now());
    this.announce(reply, taken);
    if (taken.allowed) return;
    reply.header('retry-after', String(Math.max(1, Math.ceil(taken.resetMs / 1_000))));
    throw new Refused('RATE_LIMITED', `this key may make ${String(this.perMinute)} requests a minute`);
  }

  private announce(reply: GatewayReply, { remaining, resetMs }: Taken): void {
    reply.header('ratelimit-policy', `"key";q=${String(this.perMinute)};w=${String(windowSeconds)}`);
    reply.header('ratelimit', `"key";r=${String(remaining)};t=${String(Math.ceil(resetMs / 1_000))}`);
  }
}
