import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { durationMs, type jwk } from '@agentlattice/contracts';
import { z } from 'zod';
import { readEnvironment } from './base-config.js';
import type { SigningKeys } from './signing-key.js';

/** The claims of a grant (contract §3). All of them follow from what is on disk, so every reading gives the same grant. */
const grantClaims = z.object({
  iss: z.string(),
  /** The agent. */
  sub: z.string(),
  org_id: z.string(),
  /** Null: no person decided. */
  approval_id: z.string().nullable(),
  /** Of the submission in the audit log. */
  event_id: z.string(),
  action_type: z.string(),
  action_digest: z.string(),
  iat: z.number().int(),
  exp: z.number().int(),
  jti: z.string(),
});
export type GrantClaims = Readonly<z.infer<typeof grantClaims>>;

export interface GrantSigner {
  /** The public keys: first the one that signs. */
  readonly jwks: readonly z.infer<typeof jwk>[];
  /** Compact JWS; Ed25519 is deterministic, so the same claims give the same token while the same key signs. */
  sign(claims: GrantClaims): string;
  /** The claims of a token that was signed with one of these keys; null for any other. Its expiry is not checked. */
  verify(token: string): GrantClaims | null;
}

/** Not `jose`: on the path of a submission it costs two to four times as much. */
export function grantSigner({ signing, further }: SigningKeys): GrantSigner {
  const own = grantKey(createPublicKey(signing));
  // A key may stand there twice for a moment, while files are renamed.
  const keys = new Map([own, ...further.map(grantKey)].map((key) => [key.header, key]));
  return {
    jwks: [...keys.values()].map(({ jwk }) => jwk),
    sign(claims) {
      const input = `${own.header}.${encode(JSON.stringify(claims))}`;
      return `${input}.${sign(null, Buffer.from(input), signing).toString('base64url')}`;
    },
    verify(token) {
      const [head, payload, signature, ...more] = token.split('.');
      // The header must be exactly one that we write, so no other algorithm or key is accepted.
      const key = keys.get(head ?? '');
      if (key === undefined || payload === undefined || signature === undefined || more.length > 0)
        return null;
      if (!isBase64Url(payload) || !isBase64Url(signature)) return null;
      const input = Buffer.from(`${key.header}.${payload}`);
      if (!verify(null, input, key.publicKey, Buffer.from(signature, 'base64url'))) return null;
      const claims = grantClaims.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
      return claims.success ? claims.data : null;
    },
  };
}

interface GrantKey {
  readonly publicKey: KeyObject;
  /** Of a token. */
  readonly header: string;
  readonly jwk: z.infer<typeof jwk>;
}

function grantKey(publicKey: KeyObject): GrantKey {
  const { x } = publicKey.export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('grants are signed with Ed25519');
  // RFC 7638: the thumbprint names the key.
  const kid = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
  return {
    publicKey,
    header: encode(JSON.stringify({ alg: 'EdDSA', kid, typ: 'JWT' })),
    jwk: { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA' },
  };
}

/** Accepts only the canonical encoding: another text that decodes to the same bytes is refused. */
const isBase64Url = (text: string) => Buffer.from(text, 'base64url').toString('base64url') === text;
const encode = (text: string) => Buffer.from(text).toString('base64url');

export interface GrantSettings {
  /** The lifetime of a grant. */
  readonly grantTtlSeconds: number;
  /** `iss` of grants. */
  readonly issuer: string;
}

const maxGrantMs = 24 * 3_600_000;

const environment = z.object({
  GRANT_TTL: z
    .string()
    .default('15m')
    .transform((text) => durationMs(text) ?? 0)
    .refine((ms) => ms >= 1_000 && ms <= maxGrantMs, 'must be a duration of 1s to 24h, such as 15m'),
  AL_ISSUER: z.string().min(1).max(255).default('agentlattice'),
});

/** @throws ConfigFault */
export function readGrantSettings(env: NodeJS.ProcessEnv): GrantSettings {
  const read = readEnvironment(environment, env);
  return { grantTtlSeconds: Math.floor(read.GRANT_TTL / 1_000), issuer: read.AL_ISSUER };
}
