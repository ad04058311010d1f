import { Refused } from '@agentlattice/contracts';
import type { Principal } from '../../domain/principal.js';
import { hashOfKey, hashOfSession, type PrincipalDirectory } from '../../outbound/principal-directory.js';
import { checkCsrf } from './cross-site.js';
import type { GatewayRequest } from './http-request.js';
import { sessionTokenOf } from './session-cookie.js';

type AuthenticatedBy = Pick<GatewayRequest, 'headers' | 'method'> & Partial<Pick<GatewayRequest, 'host'>>;

const bearerOf = (header: string | undefined) => /^Bearer ([A-Za-z0-9_-]{1,200})$/i.exec(header ?? '')?.[1];

/**
 * The present principal of the request's key or session: an answer that was held for a minute is not sent to a key that was
 * revoked meanwhile.
 * @throws Refused UNAUTHENTICATED, and CSRF for a request with a session that another site may have made
 */
export async function authenticate(
  directory: Pick<PrincipalDirectory, 'findByHash'>,
  request: AuthenticatedBy & Pick<GatewayRequest, 'keyHash'>,
): Promise<Principal> {
  const hash = (request.keyHash ??= hashIn(request));
  const principal = hash === null ? undefined : await directory.findByHash(hash);
  if (principal === undefined)
    throw new Refused(
      'UNAUTHENTICATED',
      hash === null
        ? 'send a key as “Authorization: Bearer <key>”, or sign in'
        : request.headers.authorization === undefined
          ? 'the session has ended; sign in again'
          : 'the key is unknown, expired or revoked',
    );
  return principal;
}

/** The header takes precedence over the cookie, also where it holds no key. */
function hashIn(request: AuthenticatedBy): string | null {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const key = bearerOf(authorization);
    return key === undefined ? null : hashOfKey(key);
  }
  const token = sessionTokenOf(request);
  if (token === undefined) return null;
  checkCsrf(request, token);
  return hashOfSession(token);
}
