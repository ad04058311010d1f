import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Refused } from '@agentlattice/contracts';
import { FixedWindow } from '../../domain/fixed-window.js';
import { acceptsCoding } from './accepts-coding.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';

/** How many times a second the document is sent to all callers together. A 304 does not count. */
const perSecond = 20;

/** A large public document: serialised and compressed once, and sent at a bounded rate, so that other requests do not wait. */
export class PublicDocument {
  private readonly plain: Buffer;
  private readonly compressed: Buffer;
  private readonly etag: string;
  private readonly window = new FixedWindow(perSecond, 1_000);

  constructor(document: unknown) {
    this.plain = Buffer.from(JSON.stringify(document));
    this.compressed = gzipSync(this.plain, { level: 9 });
    this.etag = `"${createHash('sha256').update(this.plain).digest('base64url')}"`;
  }

  /** @throws Refused RATE_LIMITED */
  send({ headers }: GatewayRequest, reply: GatewayReply): void {
    reply
      .header('etag', this.etag)
      .header('cache-control', 'public, max-age=300')
      .header('vary', 'accept-encoding');
    if (this.isKnown(headers['if-none-match'])) return void reply.status(304).send();
    if (!this.window.take('all', performance.now()).allowed) {
      reply.removeHeader('etag').removeHeader('cache-control').header('retry-after', '1');
      throw new Refused(
        'RATE_LIMITED',
        'this document was requested too often; keep it and send If-None-Match',
      );
    }
    reply.header('content-type', 'application/json; charset=utf-8');
    if (acceptsCoding(headers['accept-encoding'], 'gzip'))
      reply.header('content-encoding', 'gzip').send(this.compressed);
    else reply.send(this.plain);
  }

  private isKnown(ifNoneMatch: string | undefined): boolean {
    const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return tags.includes(this.etag) || tags.includes('*');
  }
}
