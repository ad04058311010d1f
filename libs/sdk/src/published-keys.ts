import { type GrantClaims, type GrantedAction, type GrantKey, invalid, verifyGrant } from './grant.js';
import { AgentLatticeError } from './errors.js';
import type { Transport } from './transport.js';

/** A key that the system no longer publishes is not trusted for longer than this. */
const keptMs = 300_000;

/** The keys that the system publishes, kept for a while. */
export class PublishedKeys {
  private kept: { readonly keys: Promise<readonly GrantKey[]>; readonly until: number } | undefined;

  constructor(private readonly transport: Transport) {}

  /**
   * Checks a grant; where its key is not known, with the keys as they are now.
   * @throws AgentLatticeError `GRANT_INVALID`
   */
  async verify(grant: string, action: GrantedAction, signal?: AbortSignal): Promise<GrantClaims> {
    try {
      return await verifyGrant(grant, await this.keys(signal), action);
    } catch (error) {
      if (!isUnknownKey(error)) throw error;
      this.kept = undefined;
      return await verifyGrant(grant, await this.keys(signal), action).catch((again: unknown) => {
        throw isUnknownKey(again) ? invalid(String(again.details)) : again;
      });
    }
  }

  private keys(signal?: AbortSignal): Promise<readonly GrantKey[]> {
    const now = Date.now();
    if (this.kept !== undefined && this.kept.until > now) return this.kept.keys;
    const keys = this.transport.call('GET', '/.well-known/jwks.json', { signal }).then(({ body }) => {
      if (!Array.isArray(body['keys']))
        throw new AgentLatticeError('UNEXPECTED_ANSWER', 'The system publishes no keys');
      return body['keys'] as GrantKey[];
    });
    const kept = { keys, until: now + keptMs };
    this.kept = kept;
    keys.catch(() => {
      if (this.kept === kept) this.kept = undefined;
    });
    return keys;
  }
}

const isUnknownKey = (error: unknown): error is AgentLatticeError =>
  error instanceof AgentLatticeError && error.code === 'GRANT_KEY_UNKNOWN';
