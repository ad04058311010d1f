import type { Entry } from '@agentlattice/ledger';
import type { StoredSubmission } from './draft.js';

/**
 * The claims of a grant for an allowed action (contract §3). All of them are derived from the entry, so every reading gives
 * the same grant.
 */
export interface GrantClaims {
  readonly iss: string;
  readonly sub: string;
  readonly org_id: string;
  readonly approval_id: null;
  readonly event_id: string;
  readonly action_type: string;
  readonly action_digest: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
}

/** The claims for an executed action; null for anything else. */
export function grantClaims(iss: string, entry: Entry, stored: StoredSubmission): GrantClaims | null {
  if (entry.decision !== 'executed' || entry.agent === null || entry.action_type === null) return null;
  const iat = Math.floor(Date.parse(entry.time) / 1_000);
  return {
    iss,
    sub: entry.agent.id,
    org_id: entry.org_id,
    approval_id: null,
    event_id: entry.id,
    action_type: entry.action_type,
    action_digest: stored.actionDigest,
    iat,
    exp: iat + stored.recorded.grant_ttl_s,
    jti: entry.id,
  };
}
