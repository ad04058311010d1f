import type { ClientRequestArgs } from 'node:http';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { Agents } from 'got';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import type { NameResolver } from './resolve-name.js';

/** `::127.0.0.1`: deprecated, and unknown to the filter. */
const ipv4Compatible = new BlockList();
ipv4Compatible.addSubnet('::', 96, 'ipv6');
const handledByFilter = new Set(['::', '::1']);
/** The form of the address that the filter recognises. */
const told = (address: string) =>
  address.includes(':') && ipv4Compatible.check(address, 'ipv6') && !handledByFilter.has(address)
    ? '::ffff:0.0.0.0'
    : address;

/** Networks that the operator allows, by family: `127.0.0.0/8` does not include `::ffff:127.0.0.1`. */
export class AllowedNetworks {
  private readonly lists = { 4: new BlockList(), 6: new BlockList() };

  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) {
      const [address = '', prefix] = cidr.split('/');
      if (isIP(address) === 4) this.lists[4].addSubnet(address, Number(prefix), 'ipv4');
      else this.lists[6].addSubnet(address, Number(prefix), 'ipv6');
    }
  }

  has(address: string): boolean {
    const family = isIP(address);
    if (family === 4) return this.lists[4].check(address, 'ipv4');
    return family === 6 && this.lists[6].check(address, 'ipv6');
  }
}

type Http = Parameters<RequestFilteringHttpAgent['createConnection']>;
type Https = Parameters<RequestFilteringHttpsAgent['createConnection']>;

/**
 * The agents of one request. They check the address of every connection: an address outside of the public internet is refused, unless
 * the operator allows it. No connection is kept, so none is used after its name resolves to another address.
 */
export function egressAgents(allowed: AllowedNetworks, resolver: NameResolver): Agents {
  // The filter's list for this request: addresses, because it prints warnings for networks of the other family.
  const allowIPAddressList: string[] = [];
  const judged = (given: string) => {
    const address = told(given);
    if (allowed.has(address)) allowIPAddressList.push(address);
    return address;
  };
  const lookup: LookupFunction = (hostname, { all, family: wanted }, callback) => {
    resolver.resolve(hostname).then(
      (found) => {
        const addresses = found
          .filter(({ family }) => !wanted || String(wanted).endsWith(String(family)))
          .map(({ address, family }) => ({ address: judged(address), family }));
        const [first] = addresses;
        if (first === undefined) callback(new Error('the name has no such address'), []);
        else if (all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
  const filtered = <Options extends ClientRequestArgs>(options: Options): Options => ({
    ...options,
    ...(typeof options.host === 'string' ? { host: judged(options.host) } : {}),
    lookup,
  });
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
  const options = { keepAlive: false, allowIPAddressList };
  return { http: new HttpAgent(options), https: new HttpsAgent(options) };
}
