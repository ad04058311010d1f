import { Refused } from '@agentlattice/contracts';
import type { Principal } from '../../domain/principal.js';
import { hashOfKey, type PrincipalDirectory } from '../../outbound/principal-directory.js';
import type { GatewayRequest } from './http-request.js';

const bearerOf = (header: string | undefined) => /^Bearer ([A-Za-z0-9_-]{1,200})$/i.exec(header ?? '')?.[1];

/**
 * The present principal of the request's key: an answer that was held for a minute is not sent to a key that was revoked
 * meanwhile.
 * @throws Refused UNAUTHENTICATED
 */
export async function authenticate(
  directory: Pick<PrincipalDirectory, 'findByHash'>,
  request: Pick<GatewayRequest, 'headers' | 'keyHash'>,
): Promise<Principal> {
  const hash = (request.keyHash ??= hashIn(request));
  const principal = hash === null ? undefined : await directory.findByHash(hash);
  if (principal === undefined)
    throw new Refused(
      'UNAUTHENTICATED',
      hash === null
        ? 'send a key as “Authorization: Bearer <key>”'
        : 'the key is unknown, expired or revoked',
    );
  return principal;
}

function hashIn({ headers }: Pick<GatewayRequest, 'headers'>): string | null {
  const key = bearerOf(headers.authorization);
  return key === undefined ? null : hashOfKey(key);
}
