import { NODATA, NOTFOUND, Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

export interface Address {
  readonly address: string;
  readonly family: number;
}

export interface NameResolverOptions {
  /** Default: those of the system. */
  readonly servers?: readonly string[];
  readonly hostsFile?: string;
  readonly resolverFile?: string;
  readonly timeoutMs?: number;
}

const unknown: ReadonlySet<unknown> = new Set([NOTFOUND, NODATA]);

/**
 * Resolves names of users. Not by `dns.lookup`, which occupies one of the process's two threads for lookups until the name server
 * answers, so that a silent zone would stop all other lookups. Like the system, this also reads the hosts file and the search domains.
 */
export class NameResolver {
  private readonly dns: Resolver;
  private readonly hostsFile: string;
  private readonly resolverFile: string;

  constructor({ servers, hostsFile, resolverFile, timeoutMs = 2_000 }: NameResolverOptions = {}) {
    this.dns = new Resolver({ timeout: timeoutMs, tries: 2 });
    if (servers !== undefined) this.dns.setServers(servers);
    this.hostsFile = hostsFile ?? '/etc/hosts';
    this.resolverFile = resolverFile ?? '/etc/resolv.conf';
  }

  /** @throws Error with a code, such as ENOTFOUND or ETIMEOUT */
  async resolve(given: string): Promise<readonly Address[]> {
    const name = given.toLowerCase().replace(/\.$/, '');
    const listed = await this.listed(name);
    if (listed.length > 0) return listed;
    const searched = given.endsWith('.') ? [] : await this.searched();
    for (const candidate of [name, ...searched.map((domain) => `${name}.${domain}`)]) {
      const found = await this.ask(candidate);
      if (found.length > 0) return found;
    }
    throw Object.assign(new Error('the name has no address'), { code: NOTFOUND });
  }

  private async ask(name: string): Promise<readonly Address[]> {
    const answers = await Promise.allSettled([this.dns.resolve4(name), this.dns.resolve6(name)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found.map((address) => ({ address, family: isIP(address) }));
    for (const answer of answers)
      if (answer.status === 'rejected' && !unknown.has((answer.reason as { code?: unknown }).code))
        throw answer.reason;
    return [];
  }

  private async listed(name: string): Promise<readonly Address[]> {
    const found = (await linesOf(this.hostsFile)).flatMap(([address = '', ...names]) =>
      isIP(address) !== 0 && names.some((known) => known.toLowerCase() === name)
        ? [{ address, family: isIP(address) }]
        : [],
    );
    if (found.length > 0 || !/(^|\.)localhost$/.test(name)) return found;
    // Never sent to a name server (RFC 6761).
    return [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
  }

  private async searched(): Promise<readonly string[]> {
    const lines = await linesOf(this.resolverFile);
    const [, ...domains] = lines.findLast(([word]) => word === 'search' || word === 'domain') ?? [];
    return domains.map((domain) => domain.replace(/\.$/, '')).filter((domain) => domain !== '');
  }
}

/** The words of each line; none when the file does not exist. */
async function linesOf(file: string): Promise<string[][]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/));
}
