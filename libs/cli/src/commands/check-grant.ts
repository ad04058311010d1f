import { createHash, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { routes } from '@agentlattice/contracts';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import type { Api } from '../api.js';

/** The action that the grant must name. */
export interface Asked {
  readonly action: string;
  /** JSON texts. */
  readonly metadata: string;
  readonly dataAccessed: string;
  /** Null: no approval was needed. */
  readonly approvalId: string | null;
  readonly auditEventId: string;
}

const header = z.object({ alg: z.literal('EdDSA'), kid: z.string() });
const claims = z.object({
  sub: z.string(),
  org_id: z.string(),
  approval_id: z.string().nullable(),
  event_id: z.string(),
  action_type: z.string(),
  action_digest: z.string(),
  exp: z.number(),
});

/** How far this machine's clock may be ahead of the server's. More would let a command run after its grant has expired. */
const leewaySeconds = 5;

/**
 * Checks that a grant is signed by a published key, is for this action, and has not expired.
 * @returns the fault; null for a valid grant
 * @throws Failure when the keys cannot be fetched
 */
export async function grantFault(api: Api, grant: string | null, asked: Asked): Promise<string | null> {
  if (grant === null) return 'the answer carries no grant';
  const { keys } = await api.call(routes.jwks);
  const [head = '', payload = '', signature = '', ...more] = grant.split('.');
  const { kid } = header.safeParse(jsonIn(head)).data ?? {};
  const key = keys.find((published) => published.kid === kid);
  if (key === undefined || more.length > 0) return 'the grant is signed by no key that the system publishes';
  const publicKey = createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
  if (!verify(null, Buffer.from(`${head}.${payload}`), publicKey, Buffer.from(signature, 'base64url')))
    return 'the signature of the grant is wrong';
  const said = claims.safeParse(jsonIn(payload)).data;
  if (said === undefined) return 'the grant cannot be read';
  if (said.approval_id !== asked.approvalId || said.event_id !== asked.auditEventId)
    return 'the grant is for another request';
  if (said.action_type !== asked.action || said.action_digest !== digestOf(asked, said))
    return 'the grant is for another action';
  return said.exp + leewaySeconds <= Date.now() / 1_000 ? 'the grant has run out; ask anew' : null;
}

/** base64url(SHA-256(RFC 8785 of the five members)) (contract §3), for the agent and workspace that the grant names. */
function digestOf(
  { action, metadata, dataAccessed }: Asked,
  { sub, org_id }: { readonly sub: string; readonly org_id: string },
): string {
  const text = canonicalize({
    action_type: action,
    agent_id: sub,
    data_accessed: JSON.parse(dataAccessed) as unknown,
    metadata: JSON.parse(metadata) as unknown,
    org_id,
  });
  return createHash('sha256')
    .update(text ?? '')
    .digest('base64url');
}

function jsonIn(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}
