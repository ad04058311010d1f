import { durationMs, type McpElicitation, mcpElicitation } from '@agentlattice/contracts';
import { ConfigFault, readEnvironment } from '@agentlattice/service';
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import type { SessionLife } from './domain/session.js';
import { type OidcConfig, readOidcConfig } from './oidc-config.js';

const sessionTime = z
  .string()
  .refine((text) => (durationMs(text) ?? 0) >= 1_000, 'must be a duration of at least 1s, such as 30m or 8h')
  .transform((text) => durationMs(text) ?? 0);

const environment = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number')
    .transform(Number)
    .default(3000),
  RATE_LIMIT: z
    .string()
    .regex(/^\d{1,9}$/, 'must be a number of requests a minute, or 0 for none')
    .transform(Number)
    .default(1_000_000),
  SESSION_IDLE: sessionTime.default(8 * 3_600_000),
  SESSION_LIFE: sessionTime.default(24 * 3_600_000),
  TRUSTED_PROXIES: z.string().default(''),
  PASSWORD_SIGN_IN: z.enum(['true', 'false']).optional(),
  AL_PUBLIC_URL: z
    .string()
    .refine(
      (text) => URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol),
      'must be a URL that begins with https:// or http://',
    )
    .transform((text) => text.replace(/\/+$/, ''))
    .optional(),
  MCP_ELICITATION: z.enum(mcpElicitation).default('offered'),
  MCP_HOSTS: z.string().default(''),
  DASHBOARD_DIR: z
    .string()
    .refine(
      (folder) => existsSync(join(folder, 'index.html')),
      'names a folder without the pages of the dashboard; build them with npm run build',
    )
    .optional(),
});

export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  /** Requests a minute and key; 0: no limit. */
  readonly rateLimit: number;
  readonly sessionLife: SessionLife;
  /** Proxies whose X-Forwarded-For is believed, as CIDRs or addresses. */
  readonly trustedProxies: readonly string[];
  /** Where people reach the gateway, without a slash at the end; undefined where it is not set. */
  readonly publicUrl: string | undefined;
  /** Null: people sign in with a password. */
  readonly oidc: OidcConfig | null;
  /** Whether people may sign in with a password; by default only where no OpenID provider is set. */
  readonly passwordSignIn: boolean;
  /** Whether deciding by MCP needs a client that asks the person. */
  readonly mcpElicitation: McpElicitation;
  /** Further host names under which MCP clients reach the gateway, in lower case. */
  readonly mcpHosts: readonly string[];
  /** The folder of the dashboard's pages; undefined: the gateway serves the API alone. */
  readonly dashboardDir: string | undefined;
}

/** @throws ConfigFault */
export function readGatewayConfig(env: NodeJS.ProcessEnv): GatewayConfig {
  const read = readEnvironment(environment, env);
  const oidc = readOidcConfig(env, read.AL_PUBLIC_URL);
  return {
    host: read.HOST,
    port: read.PORT,
    rateLimit: read.RATE_LIMIT,
    sessionLife: { idleMs: Math.min(read.SESSION_IDLE, read.SESSION_LIFE), mostMs: read.SESSION_LIFE },
    trustedProxies: proxiesOf(read.TRUSTED_PROXIES),
    publicUrl: read.AL_PUBLIC_URL,
    oidc,
    passwordSignIn: read.PASSWORD_SIGN_IN === undefined ? oidc === null : read.PASSWORD_SIGN_IN === 'true',
    mcpElicitation: read.MCP_ELICITATION,
    mcpHosts: listOf(read.MCP_HOSTS).map((name) => name.toLowerCase()),
    dashboardDir: read.DASHBOARD_DIR,
  };
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function proxiesOf(text: string): string[] {
  const parts = listOf(text);
  for (const part of parts) {
    const [address = '', bits, ...rest] = part.split('/');
    const longest = isIP(address) === 4 ? 32 : 128;
    const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= longest);
    if (isIP(address) === 0 || !isNetwork || rest.length > 0)
      throw new ConfigFault(
        `The configuration is wrong: TRUSTED_PROXIES must be addresses or CIDRs with commas between them; "${part}" is none.`,
      );
  }
  return parts;
}
