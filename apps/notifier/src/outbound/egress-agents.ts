import dns from 'node:dns';
import type { ClientRequestArgs } from 'node:http';
import { BlockList, type LookupFunction } from 'node:net';
import type { Agents } from 'got';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';

/** `::127.0.0.1`: long deprecated, and unknown to the filter. */
const ipv4Compatible = new BlockList();
ipv4Compatible.addSubnet('::', 96, 'ipv6');
const knownAnyway = new Set(['::', '::1']);
/** The filter is told the form of the address that it knows to refuse. */
const told = (address: string) =>
  address.includes(':') && ipv4Compatible.check(address, 'ipv6') && !knownAnyway.has(address)
    ? '::ffff:0.0.0.0'
    : address;

const lookup: LookupFunction = (hostname, options, callback) => {
  dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const known = addresses?.map(({ address, family }) => ({ address: told(address), family })) ?? [];
    if (options.all === true) callback(error, known);
    else callback(error, known[0]?.address ?? '', known[0]?.family);
  });
};

const filtered = <Options extends ClientRequestArgs>(options: Options): Options => ({
  ...options,
  ...(typeof options.host === 'string' ? { host: told(options.host) } : {}),
  lookup,
});

type Http = Parameters<RequestFilteringHttpAgent['createConnection']>;
type Https = Parameters<RequestFilteringHttpsAgent['createConnection']>;

class HttpAgent extends RequestFilteringHttpAgent {
  override createConnection(...[options, listener]: Http) {
    return super.createConnection(filtered(options), listener);
  }
}
class HttpsAgent extends RequestFilteringHttpsAgent {
  override createConnection(...[options, listener]: Https) {
    return super.createConnection(filtered(options), listener);
  }
}

/**
 * Agents that judge every connection by the address it would be made to: what is not of the public internet is refused,
 * unless a network of `allowed` holds it. No connection is kept, so none outlives what was true of its name.
 */
export function egressAgents(allowed: readonly string[]): Agents {
  const options = { keepAlive: false, allowIPAddressList: [...allowed] };
  return { http: new HttpAgent(options), https: new HttpsAgent(options) };
}
