import { givenGroup, operatorRoles, typeId } from '@agentlattice/contracts';
import { ConfigFault, readEnvironment } from '@agentlattice/service';
import { z } from 'zod';
import type { MappingRule } from './domain/oidc-mapping.js';

/** The OpenID provider that people sign in with. */
export interface OidcConfig {
  readonly issuer: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  /** For the button. */
  readonly name: string;
  readonly scope: string;
  readonly groupsClaim: string;
  readonly mapping: readonly MappingRule[];
  readonly redirectUri: string;
}

const environment = z.object({
  OIDC_ISSUER: z.string().optional(),
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_CLIENT_SECRET: z.string().optional(),
  OIDC_NAME: z.string().max(60).optional(),
  OIDC_SCOPE: z.string().default('openid email profile'),
  OIDC_GROUPS_CLAIM: z.string().default('groups'),
  OIDC_ROLE_MAPPING: z.string().optional(),
});

const mappingRules = z
  .array(
    z.strictObject({
      group: z.string().min(1).max(255),
      org_id: typeId('org').optional(),
      role: z.enum(operatorRoles),
      groups: z.array(givenGroup()).max(50).default([]),
    }),
  )
  .min(1);

const wrong = (detail: string) => new ConfigFault(`The configuration is wrong: ${detail}.`);

/**
 * @param publicUrl where the provider sends people back
 * @returns null when no provider is set
 * @throws ConfigFault that names the faulty variable, never a value, which may be a secret
 */
export function readOidcConfig(env: NodeJS.ProcessEnv, publicUrl: string | undefined): OidcConfig | null {
  const read = readEnvironment(environment, env);
  const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_ROLE_MAPPING } = read;
  const needed = { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_ROLE_MAPPING };
  const missing = Object.entries(needed).flatMap(([name, value]) => (value === undefined ? [name] : []));
  if (missing.length === Object.keys(needed).length) return null;
  if (
    OIDC_ISSUER === undefined ||
    OIDC_CLIENT_ID === undefined ||
    OIDC_CLIENT_SECRET === undefined ||
    OIDC_ROLE_MAPPING === undefined
  )
    throw wrong(`${missing.join(' and ')} must be set as well, because a sign-in with OIDC is configured`);
  if (publicUrl === undefined) throw wrong('AL_PUBLIC_URL must be set for a sign-in with OIDC');
  if (!read.OIDC_SCOPE.split(' ').includes('openid')) throw wrong('OIDC_SCOPE must contain openid');
  const issuer = issuerOf(OIDC_ISSUER);
  return {
    issuer,
    clientId: OIDC_CLIENT_ID,
    clientSecret: OIDC_CLIENT_SECRET,
    name: read.OIDC_NAME ?? issuer.hostname,
    scope: read.OIDC_SCOPE,
    groupsClaim: read.OIDC_GROUPS_CLAIM,
    mapping: rulesOf(OIDC_ROLE_MAPPING),
    redirectUri: `${publicUrl}/auth/oidc/callback`,
  };
}

/** Without TLS anybody on the way could sign in as anyone, so http is for this machine alone. */
function issuerOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLocal = url !== undefined && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)))
    throw wrong('OIDC_ISSUER must be a URL that begins with https://');
  return url;
}

function rulesOf(text: string): MappingRule[] {
  const form =
    'OIDC_ROLE_MAPPING must be a JSON list such as [{"group":"deciders","role":"member","groups":["sre"]}]';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw wrong(form);
  }
  const read = mappingRules.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw wrong(`${form}; /${(issue?.path ?? []).join('/')} is wrong`);
  }
  return read.data.map(({ org_id = null, ...rule }) => ({ ...rule, orgId: org_id }));
}
