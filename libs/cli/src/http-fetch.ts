import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/**
 * The part of `fetch` that the SDK uses, on the HTTP client of Node: the platform's own compiles a parser at its first use, which
 * takes longer than the rest of a short command (ADR 59).
 */
export const httpFetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
  const url = new URL(input instanceof URL || typeof input === 'string' ? input : input.url);
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const { method = 'GET', headers, body, signal } = init;
  if (body !== undefined && body !== null && typeof body !== 'string')
    throw new TypeError('only a text can be sent');
  signal?.throwIfAborted();
  const came = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, { method, headers: headers as Record<string, string> }, resolve);
    const abort = () => sent.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal?.addEventListener('abort', abort, { once: true });
    sent.once('error', (error) => reject(failure(error, signal)));
    sent.once('close', () => signal?.removeEventListener('abort', abort));
    sent.end(body ?? undefined);
  });
  return new HttpResponse(came, signal) as Pick<Response, keyof HttpResponse> as Response;
};

/** As the platform's own: the reason of an abort, else an error with the cause. */
const failure = (error: unknown, signal: AbortSignal | null | undefined): unknown =>
  signal?.aborted === true ? signal.reason : new TypeError('fetch failed', { cause: error });

class HttpResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Headers;

  constructor(
    private readonly message: IncomingMessage,
    private readonly signal: AbortSignal | null | undefined,
  ) {
    this.status = message.statusCode ?? 0;
    this.ok = this.status >= 200 && this.status < 300;
    const get = (name: string) => message.headers[name.toLowerCase()]?.toString() ?? null;
    this.headers = { get } as Pick<Headers, 'get'> as Headers;
  }

  get body(): Response['body'] {
    return Readable.toWeb(this.message) as Response['body'];
  }

  async text(): Promise<string> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of this.message) chunks.push(chunk as Buffer);
    } catch (error) {
      throw failure(error, this.signal);
    }
    return new TextDecoder().decode(Buffer.concat(chunks));
  }
}
