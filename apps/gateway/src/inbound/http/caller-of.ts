import { Refused } from '@agentlattice/contracts';
import type { Principal } from '../../domain/principal.js';
import type { PrincipalDirectory } from '../../outbound/principal-directory.js';
import type { GatewayRequest } from './http-request.js';

const bearerOf = (header: string | undefined) => /^Bearer ([A-Za-z0-9_-]{1,200})$/i.exec(header ?? '')?.[1];

/**
 * Who asks, as it stands now: an answer that was held for a minute belongs to nobody whose key was revoked meanwhile.
 * @throws Refused UNAUTHENTICATED
 */
export async function callerOf(
  directory: Pick<PrincipalDirectory, 'find'>,
  { headers }: Pick<GatewayRequest, 'headers'>,
): Promise<Principal> {
  const key = bearerOf(headers.authorization);
  const principal = key === undefined ? undefined : await directory.find(key);
  if (principal === undefined)
    throw new Refused(
      'UNAUTHENTICATED',
      key === undefined
        ? 'send a key as “Authorization: Bearer <key>”'
        : 'the key is unknown, expired or revoked',
    );
  return principal;
}
