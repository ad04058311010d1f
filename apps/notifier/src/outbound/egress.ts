import got, { RequestError } from 'got';
import { AllowedNetworks, egressAgents } from './egress-agents.js';
import { NameResolver } from './resolve-name.js';

export interface EgressRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

export interface EgressAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The beginning of the body. */
  readonly text: string;
}

const maxAnswerBytes = 2_048;

/**
 * All requests to addresses of users. A private, loopback, link-local or otherwise non-public address is refused when the connection is
 * made, after names were resolved, unless the operator allows it.
 */
export class Egress {
  private readonly allowed: AllowedNetworks;

  constructor(
    allowed: readonly string[],
    private readonly resolver = new NameResolver(),
  ) {
    this.allowed = new AllowedNetworks(allowed);
  }

  /**
   * Never follows a redirect. An answer counts once its head has arrived, also when its body fails.
   * @throws Error when there is no answer in time, or the address is refused
   */
  async post({ url, headers, body, signal, timeoutMs }: EgressRequest): Promise<EgressAnswer> {
    let head: { statusCode: number; headers: EgressAnswer['headers'] } | undefined;
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      const stream = got.stream.post(url, {
        headers,
        body,
        signal,
        agent: egressAgents(this.allowed, this.resolver),
        timeout: { request: timeoutMs },
        retry: { limit: 0 },
        followRedirect: false,
        throwHttpErrors: false,
        decompress: false,
      });
      stream.once('response', (response: typeof head) => (head = response));
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        size += chunk.length;
        // Leaving the loop ends the connection, so an endless answer is not read further.
        if (size >= maxAnswerBytes) break;
      }
    } catch (error) {
      if (head === undefined) throw new Error(sentence(error), { cause: error });
    }
    if (head === undefined) throw new Error('there was no answer');
    const text = Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString('utf8');
    return { status: head.statusCode, headers: head.headers, text: text.replaceAll('\0', '') };
  }
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  if (/is not allowed\. Because/.test(error.message))
    return 'the address is private; the operator may allow it with EGRESS_ALLOW';
  return error instanceof RequestError && error.code !== ''
    ? `${error.code}: ${error.message}`
    : error.message;
}
