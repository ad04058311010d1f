import { createHash } from 'node:crypto';
import type { MembershipStatus, OperatorRole } from '@agentlattice/contracts';
import type { Tx } from '@agentlattice/event-store';
import type pg from 'pg';

export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

export interface MembershipRow {
  readonly memberId: string;
  readonly status: MembershipStatus;
  readonly role: OperatorRole;
}

/** An address for a person whose provider names none that it has verified; no mail reaches it (RFC 2606). */
export const addressOf = ({ issuer, subject }: Identity): string => {
  const name = createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('hex')
    .slice(0, 24);
  return `${name}@oidc.invalid`;
};

/** Accounts of people at the OpenID provider. */
export class OidcIdentities {
  constructor(private readonly pool: pg.Pool) {}

  /** The workspace of the first start: where the account of the instance administrator was made. */
  async firstOrgId(): Promise<string | undefined> {
    const { rows } = await this.pool.query<{ org_id: string }>(
      `SELECT home_org_id AS org_id FROM person WHERE instance_admin AND home_org_id IS NOT NULL
        ORDER BY created_at, member_id LIMIT 1`,
    );
    return rows[0]?.org_id;
  }

  async personOf({ issuer, subject }: Identity): Promise<string | undefined> {
    const { rows } = await this.pool.query<{ person_id: string }>(
      'SELECT person_id FROM oidc_identity WHERE issuer = $1 AND subject = $2',
      [issuer, subject],
    );
    return rows[0]?.person_id;
  }

  /** One sign-in at a time of the same identity. @returns its person, if it is known */
  async lock(tx: Tx, { issuer, subject }: Identity): Promise<string | undefined> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7157))', [
      JSON.stringify([issuer, subject]),
    ]);
    const { rows } = await tx.query<{ person_id: string }>(
      'SELECT person_id FROM oidc_identity WHERE issuer = $1 AND subject = $2',
      [issuer, subject],
    );
    return rows[0]?.person_id;
  }

  async link(tx: Tx, { issuer, subject }: Identity, personId: string, proven: boolean): Promise<void> {
    await tx.query('INSERT INTO oidc_identity (issuer, subject, person_id) VALUES ($1, $2, $3)', [
      issuer,
      subject,
      personId,
    ]);
    if (proven) await tx.query('UPDATE person SET proven = true WHERE member_id = $1', [personId]);
  }

  async membership(tx: Tx, personId: string, orgId: string): Promise<MembershipRow | undefined> {
    const { rows } = await tx.query<MembershipRow>(
      `SELECT member_id AS "memberId", status, role FROM membership
        WHERE person_id = $1 AND org_id = $2 AND status <> 'removed'`,
      [personId, orgId],
    );
    return rows[0];
  }

  async workspaceExists(tx: Tx, orgId: string): Promise<boolean> {
    const { rowCount } = await tx.query('SELECT 1 FROM workspace WHERE org_id = $1', [orgId]);
    return rowCount === 1;
  }

  async setActive(tx: Tx, orgId: string, memberId: string): Promise<void> {
    await tx.query(`UPDATE membership SET status = 'active' WHERE org_id = $1 AND member_id = $2`, [
      orgId,
      memberId,
    ]);
  }
}
