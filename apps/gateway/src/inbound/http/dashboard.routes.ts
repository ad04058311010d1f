import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { acceptsCoding } from './accepts-coding.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { securityHeaders } from './security-headers.js';

/** Paths of the dashboard's own router (apps/dashboard/src/router.tsx); all of them are answered with its one page. */
export const dashboardPages = [
  'approvals',
  'overview',
  'audit',
  'policies',
  'agents',
  'notifications',
  'members',
  'keys',
  'preferences',
  'more',
  'sign-in',
  'accept-invitation',
] as const;

/** In addition to the headers of every answer: no script may make markup of a text. */
const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `${securityHeaders['content-security-policy']}; require-trusted-types-for 'script'`,
} as const;

const mediaTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly brotli: Buffer | undefined;
  readonly gzip: Buffer | undefined;
}

/**
 * Serves the pages of the dashboard. All files are read once, at the start: no request waits for the disk, no path reaches the file
 * system, and a build that runs beside does not mix two versions.
 */
export function addDashboardRoutes(app: NestFastifyApplication, folder: string): void {
  const fastify = app.getHttpAdapter().getInstance();
  const pages = pagesByTheme(readFileSync(join(folder, 'index.html'), 'utf8'));
  const assets = readAssets(join(folder, 'assets'));
  const sendPage = ({ headers }: GatewayRequest, reply: GatewayReply) =>
    reply.headers(pageHeaders).send(pages[themeOf(headers.cookie)]);
  for (const url of ['/', ...dashboardPages.flatMap((page) => [`/${page}`, `/${page}/*`])])
    fastify.get(url, sendPage);
  for (const [name, asset] of assets)
    fastify.get(`/assets/${name}`, ({ headers }: GatewayRequest, reply: GatewayReply) => {
      reply
        .header('content-type', asset.type)
        // The name of the file changes with its content.
        .header('cache-control', 'public, max-age=31536000, immutable')
        .header('vary', 'accept-encoding');
      const accepted = headers['accept-encoding'];
      if (asset.brotli !== undefined && acceptsCoding(accepted, 'br'))
        return reply.header('content-encoding', 'br').send(asset.brotli);
      if (asset.gzip !== undefined && acceptsCoding(accepted, 'gzip'))
        return reply.header('content-encoding', 'gzip').send(asset.gzip);
      return reply.send(asset.plain);
    });
}

type Theme = 'system' | 'light' | 'dark';

/** The first paint has the theme already, without a script in the page. */
function pagesByTheme(html: string): Readonly<Record<Theme, string>> {
  const withTheme = (theme: Theme) => html.replace('data-theme="system"', `data-theme="${theme}"`);
  return { system: withTheme('system'), light: withTheme('light'), dark: withTheme('dark') };
}

function themeOf(cookies: string | undefined): Theme {
  const found = /(?:^|;\s*)al_theme=(light|dark)(?:;|$)/.exec(cookies ?? '')?.[1];
  return found === 'light' || found === 'dark' ? found : 'system';
}

function readAssets(folder: string): ReadonlyMap<string, Asset> {
  const names = readdirSync(folder);
  const read = (name: string) => (names.includes(name) ? readFileSync(join(folder, name)) : undefined);
  return new Map(
    names.flatMap((name) => {
      const type = mediaTypes[extname(name)];
      if (type === undefined) return [];
      const plain = readFileSync(join(folder, name));
      return [[name, { type, plain, brotli: read(`${name}.br`), gzip: read(`${name}.gz`) }] as const];
    }),
  );
}
