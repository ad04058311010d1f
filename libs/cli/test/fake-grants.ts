import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

const keys = generateKeyPairSync('ed25519');
const kid = 'key-1';

/** What the system publishes: the key of `grantFor`. */
export const jwks = {
  keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'EdDSA' }],
};

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A grant for `a.b` with `metadata` (canonical text), as the audit ledger signs them. */
export function grantFor(
  event_id: string,
  {
    metadata = '{}',
    claims = {},
    header = {},
    key = keys.privateKey,
  }: { metadata?: string; claims?: object; header?: object; key?: KeyObject } = {},
): string {
  const digest = createHash('sha256')
    .update(
      `{"action_type":"a.b","agent_id":"agt_1","data_accessed":[],"metadata":${metadata},"org_id":"org_1"}`,
    )
    .digest('base64url');
  const head = encode({ alg: 'EdDSA', kid, typ: 'JWT', ...header });
  const payload = encode({
    iss: 'agentlattice',
    sub: 'agt_1',
    org_id: 'org_1',
    approval_id: null,
    event_id,
    action_type: 'a.b',
    action_digest: digest,
    iat: 0,
    exp: Math.floor(Date.now() / 1_000) + 900,
    jti: event_id,
    ...claims,
  });
  return `${head}.${payload}.${sign(null, Buffer.from(`${head}.${payload}`), key).toString('base64url')}`;
}
