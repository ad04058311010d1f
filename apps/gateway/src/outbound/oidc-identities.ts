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
  /** True when the last claims gave it, false when they do not any more, null when claims never did. */
  readonly byClaims: boolean | null;
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

  async link(tx: Tx, { issuer, subject }: Identity, personId: string): Promise<void> {
    await tx.query('INSERT INTO oidc_identity (issuer, subject, person_id) VALUES ($1, $2, $3)', [
      issuer,
      subject,
      personId,
    ]);
  }

  /** Whether a subject of the issuer is this person already: a provider may give an address to somebody else later. */
  async isLinked(tx: Tx, issuer: string, personId: string): Promise<boolean> {
    const { rowCount } = await tx.query('SELECT 1 FROM oidc_identity WHERE issuer = $1 AND person_id = $2', [
      issuer,
      personId,
    ]);
    return rowCount !== 0;
  }

  /**
   * The provider has proven who the person is.
   * @returns whether somebody else may have set the password, which is removed then
   */
  async prove(tx: Tx, personId: string): Promise<boolean> {
    const { rows } = await tx.query<{ doubtful: boolean }>(
      `UPDATE person p SET proven = true, password_known_to = '{}',
              password_hash = CASE WHEN o.doubtful THEN NULL ELSE p.password_hash END
         FROM (SELECT member_id, NOT proven OR cardinality(password_known_to) > 0 AS doubtful FROM person
                WHERE member_id = $1 FOR UPDATE) o
        WHERE p.member_id = o.member_id RETURNING o.doubtful`,
      [personId],
    );
    return rows[0]?.doubtful === true;
  }

  /** The keys that sessions of the person made for the person, before it was known whose sessions they were. */
  async ownUnprovenKeys(tx: Tx, personId: string): Promise<{ orgId: string; id: string }[]> {
    const { rows } = await tx.query<{ orgId: string; id: string }>(
      `SELECT k.org_id AS "orgId", k.id FROM api_key k JOIN membership m USING (org_id, member_id)
        WHERE m.person_id = $1 AND k.made_by = k.member_id AND NOT k.own AND k.revoked_at IS NULL ORDER BY k.id`,
      [personId],
    );
    return rows;
  }

  async membership(tx: Tx, personId: string, orgId: string): Promise<MembershipRow | undefined> {
    const { rows } = await tx.query<MembershipRow>(
      `SELECT member_id AS "memberId", status, role, by_claims AS "byClaims" FROM membership
        WHERE person_id = $1 AND org_id = $2 AND status <> 'removed'`,
      [personId, orgId],
    );
    return rows[0];
  }

  /** Notes whether the claims give the membership. */
  async setByClaims(tx: Tx, orgId: string, memberId: string, byClaims: boolean): Promise<void> {
    await tx.query('UPDATE membership SET by_claims = $3 WHERE org_id = $1 AND member_id = $2', [
      orgId,
      memberId,
      byClaims,
    ]);
  }

  /** Memberships that earlier claims gave, in other workspaces than these. */
  async lost(
    tx: Tx,
    personId: string,
    orgIds: readonly string[],
  ): Promise<{ orgId: string; memberId: string }[]> {
    const { rows } = await tx.query<{ orgId: string; memberId: string }>(
      `SELECT org_id AS "orgId", member_id AS "memberId" FROM membership
        WHERE person_id = $1 AND by_claims AND status <> 'removed' AND org_id <> ALL ($2)`,
      [personId, orgIds],
    );
    return rows;
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
