import { Refused } from '@agentlattice/contracts';
import type { GatewayRequest } from './http-request.js';
import { isCsrfTokenOf } from './session-cookie.js';

/** `host`: as a trusted proxy forwards it, otherwise that of the headers. */
type Headers = Pick<GatewayRequest, 'headers'> & Partial<Pick<GatewayRequest, 'host'>>;

/**
 * Refuses a request that a page of another site makes, by the headers that browsers set and pages cannot (Fetch Metadata,
 * Origin). Programs send neither.
 * @throws Refused CSRF
 */
export function refuseCrossSite({ headers, host = headers.host }: Headers): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new Refused('CSRF', 'a page of another site made this request');
  const { origin } = headers;
  if (origin !== undefined && hostOf(origin) !== host?.toLowerCase())
    throw new Refused('CSRF', 'a page of another origin made this request');
}

/**
 * What a request with the session cookie must show in addition, because browsers send the cookie by themselves.
 * @throws Refused CSRF
 */
export function checkCsrf(request: Headers & Pick<GatewayRequest, 'method'>, token: string): void {
  refuseCrossSite(request);
  if (request.method === 'GET' || request.method === 'HEAD') return;
  if (!isCsrfTokenOf(token, request.headers['x-csrf-token']))
    throw new Refused('CSRF', 'send the csrf_token of the session in the header X-CSRF-Token');
}

/** `null` is the origin of sandboxed frames and of some redirects: no host has it. */
const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null);
