import type { GrantSigner } from '@agentlattice/service';
import type { StatusRow } from './approval-row.js';

/** The grant of an approved request, the same at every reading; null for any other. */
export const makeGrantOf =
  ({ signer, issuer }: { signer: GrantSigner; issuer: string }) =>
  (row: StatusRow): string | null =>
    row.status !== 'approved' || row.resolved_at === null || row.grant_expires_at === null
      ? null
      : signer.sign({
          iss: issuer,
          sub: row.agent_id,
          org_id: row.org_id,
          approval_id: row.approval_id,
          event_id: row.audit_event_id,
          action_type: row.action_type,
          action_digest: row.action_digest,
          iat: seconds(row.resolved_at),
          exp: seconds(row.grant_expires_at),
          jti: row.approval_id,
        });
export type GrantOf = ReturnType<typeof makeGrantOf>;

const seconds = (at: Date) => Math.floor(at.getTime() / 1_000);
