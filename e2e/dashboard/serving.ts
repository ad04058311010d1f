import { get, type IncomingMessage } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

interface Served {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** As a browser asks, without the decoding that `fetch` does by itself. */
const serve = (url: string, headers: Record<string, string> = {}) =>
  new Promise<Served>((done, failed) => {
    get(url, { headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.once('error', failed);
      answer.once('end', () =>
        done({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }),
      );
    }).once('error', failed);
  });

/** How the gateway serves the pages. */
export function servingChecks(baseUrl: () => string): void {
  it.each(['/', '/approvals', '/approvals/apr_x', '/policies/pol_x/edit', '/sign-in', '/accept-invitation'])(
    'answers %s with the page, under a strict content security policy',
    async (path) => {
      const { status, headers, body } = await serve(baseUrl() + path);
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
      });
      const policy = String(headers['content-security-policy']);
      for (const rule of [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
      ])
        expect(policy).toContain(rule);
      expect(policy).not.toContain('unsafe');
      expect(body.toString()).toContain('<html lang="en" data-theme="system">');
    },
  );

  it('writes the theme of the cookie into the page, and no other text', async () => {
    const themeFor = async (cookie: string) =>
      /data-theme="([^"]*)"/.exec((await serve(`${baseUrl()}/approvals`, { cookie })).body.toString())?.[1];
    expect(await themeFor('a=b; al_theme=dark')).toBe('dark');
    expect(await themeFor('al_theme=light; a=b')).toBe('light');
    expect(await themeFor('al_theme="><script>')).toBe('system');
  });

  it('sends files for good, compressed as the client takes them', async () => {
    const page = (await serve(`${baseUrl()}/`)).body.toString();
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? '';
    const plain = await serve(baseUrl() + script);
    expect(plain.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
    });
    expect(plain.headers['content-encoding']).toBeUndefined();
    const brotli = await serve(baseUrl() + script, { 'accept-encoding': 'gzip, br' });
    const gzip = await serve(baseUrl() + script, { 'accept-encoding': 'gzip, br;q=0' });
    expect([brotli.headers['content-encoding'], gzip.headers['content-encoding']]).toEqual(['br', 'gzip']);
    expect(brotliDecompressSync(brotli.body).equals(plain.body)).toBe(true);
    expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true);
  });

  it.each(['/api/v1/nothing', '/assets/nothing.js', '/nothing', '/assets/..%2findex.html', '/approvals.php'])(
    'answers %s with a problem, not with the page',
    async (path) => {
      const { status, headers } = await serve(baseUrl() + path, { accept: 'text/html' });
      expect([status, headers['content-type']]).toEqual([404, 'application/problem+json; charset=utf-8']);
    },
  );
}
