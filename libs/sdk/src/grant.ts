import canonicalize from 'canonicalize';
import { AgentLatticeError } from './errors.js';
import { isObject } from './is-object.js';
import type { JsonObject } from './types.js';

/** A published key (RFC 8037: OKP, Ed25519). */
export interface GrantKey {
  readonly kid: string;
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
}

/** What a grant must be for. */
export interface GrantedAction {
  readonly actionType: string;
  readonly metadata: JsonObject;
  readonly dataAccessed: readonly JsonObject[];
  /** Null: no person was asked. Left out: it is not checked. */
  readonly approvalId?: string | null;
  readonly auditEventId?: string;
}

/** What a grant says (contract §3). Times are seconds since 1970. */
export interface GrantClaims {
  readonly sub: string;
  readonly org_id: string;
  readonly approval_id: string | null;
  readonly event_id: string;
  readonly action_type: string;
  readonly action_digest: string;
  readonly exp: number;
  readonly jti: string;
}

/** How far this machine's clock may be ahead of the server's; more would let an action run after its grant. */
const leewaySeconds = 5;

/**
 * base64url(SHA-256(RFC 8785 of the five members)) (contract §3).
 * @param by the agent and its workspace, as the grant names them
 */
export async function actionDigest(
  { actionType, metadata, dataAccessed }: Pick<GrantedAction, 'actionType' | 'metadata' | 'dataAccessed'>,
  by: { readonly agentId: string; readonly orgId: string },
): Promise<string> {
  const text = canonicalize({
    action_type: actionType,
    agent_id: by.agentId,
    data_accessed: dataAccessed,
    metadata,
    org_id: by.orgId,
  });
  const bytes = new TextEncoder().encode(text ?? '');
  return toBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/**
 * Checks offline that a grant clears exactly this action: signature, action, request and time.
 * @param keys of `/.well-known/jwks.json`
 * @returns what the grant says
 * @throws AgentLatticeError `GRANT_INVALID`, saying what is wrong; `GRANT_KEY_UNKNOWN` where no key has its `kid`
 */
export async function verifyGrant(
  grant: string,
  keys: readonly GrantKey[],
  action: GrantedAction,
): Promise<GrantClaims> {
  const [head = '', payload = '', signature = '', ...more] = grant.split('.');
  const header = jsonIn(head);
  if (more.length > 0 || header?.['alg'] !== 'EdDSA') throw invalid(unknownKey);
  const key = keys.find(({ kid }) => kid === header['kid']);
  if (key === undefined)
    throw new AgentLatticeError('GRANT_KEY_UNKNOWN', `The grant does not count: ${unknownKey}`, {
      details: unknownKey,
    });
  if (!(await isSigned(key, `${head}.${payload}`, signature)))
    throw invalid('the signature of the grant is wrong');
  const claims = jsonIn(payload);
  if (claims === undefined || typeof claims['exp'] !== 'number') throw invalid('the grant cannot be read');
  const said = claims as unknown as GrantClaims;
  if (
    (action.approvalId !== undefined && said.approval_id !== action.approvalId) ||
    (action.auditEventId !== undefined && said.event_id !== action.auditEventId)
  )
    throw invalid('the grant is for another request');
  const digest = await actionDigest(action, { agentId: said.sub, orgId: said.org_id });
  if (said.action_type !== action.actionType || said.action_digest !== digest)
    throw invalid('the grant is for another action');
  if (said.exp + leewaySeconds <= Date.now() / 1_000) throw invalid('the grant has run out; ask anew');
  return said;
}

const unknownKey = 'the grant is signed by no key that the system publishes';

/** An error whose `details` are the reason alone. */
export const invalid = (why: string) =>
  new AgentLatticeError('GRANT_INVALID', `The grant does not count: ${why}`, { details: why });

async function isSigned({ kty, crv, x }: GrantKey, text: string, signature: string): Promise<boolean> {
  try {
    const algorithm = { name: 'Ed25519' };
    const key = await crypto.subtle.importKey('jwk', { kty, crv, x }, algorithm, false, ['verify']);
    return await crypto.subtle.verify(
      algorithm,
      key,
      fromBase64url(signature),
      new TextEncoder().encode(text),
    );
  } catch {
    return false;
  }
}

function jsonIn(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(fromBase64url(part)));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const fromBase64url = (text: string) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));

const toBase64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
