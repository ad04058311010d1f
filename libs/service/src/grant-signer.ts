import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { durationMs, type jwk } from '@agentlattice/contracts';
import { z } from 'zod';
import { readEnvironment } from './base-config.js';

/** What a grant says (contract §3). All of it follows from what is on disk, so every reading gives the same. */
export interface GrantClaims {
  readonly iss: string;
  /** The agent. */
  readonly sub: string;
  readonly org_id: string;
  /** Null: no person was asked. */
  readonly approval_id: string | null;
  /** Of the submission in the audit log. */
  readonly event_id: string;
  readonly action_type: string;
  readonly action_digest: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
}

export interface GrantSigner {
  readonly jwk: z.infer<typeof jwk>;
  /** Compact JWS; Ed25519 is deterministic, so the same claims give the same token. */
  sign(claims: GrantClaims): string;
}

/** Not `jose`: on the path of a submission it costs two to four times as much. */
export function grantSigner(key: KeyObject): GrantSigner {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('grants are signed with Ed25519');
  // RFC 7638: the thumbprint names the key.
  const kid = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
  const header = encode(JSON.stringify({ alg: 'EdDSA', kid, typ: 'JWT' }));
  return {
    jwk: { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA' },
    sign(claims) {
      const input = `${header}.${encode(JSON.stringify(claims))}`;
      return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
    },
  };
}

const encode = (text: string) => Buffer.from(text).toString('base64url');

export interface GrantSettings {
  /** How long a grant is good for. */
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
