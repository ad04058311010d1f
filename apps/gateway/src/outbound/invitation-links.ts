import { hash, randomBytes } from 'node:crypto';
import type { Tx } from '@agentlattice/event-store';
import type pg from 'pg';

const tokenPrefix = 'al_inv_';
const validForMs = 7 * 24 * 3_600_000;

/** The secret of a link, which is stored nowhere. */
export interface NewLink {
  readonly token: string;
  readonly expiresAt: Date;
}

/** An invitation that a link names. */
export interface LinkedInvitation {
  readonly orgId: string;
  readonly memberId: string;
  readonly mailed: boolean;
  readonly personId: string;
  readonly email: string;
  readonly passwordHash: string | null;
  /** Whether no person has signed in to the account so far: then its password may be set. */
  readonly unclaimed: boolean;
}

const hashOf = (token: string) => hash('sha256', token, 'buffer');

/** The links of invitations. */
export class InvitationLinks {
  constructor(private readonly pool: pg.Pool) {}

  async create(tx: Tx, orgId: string, memberId: string, { mailed }: { mailed: boolean }): Promise<NewLink> {
    const token = `${tokenPrefix}${randomBytes(32).toString('base64url')}`;
    const { rows } = await tx.query<{ expires_at: Date }>(
      `INSERT INTO invitation_link (hash, org_id, member_id, mailed, expires_at)
       VALUES ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 millisecond') RETURNING expires_at`,
      [hashOf(token), orgId, memberId, mailed, validForMs],
    );
    const [row] = rows;
    if (row === undefined) throw new Error('a link was not stored');
    return { token, expiresAt: row.expires_at };
  }

  async endAll(tx: Tx, orgId: string, memberId: string): Promise<void> {
    await tx.query('DELETE FROM invitation_link WHERE org_id = $1 AND member_id = $2', [orgId, memberId]);
  }

  async find(token: string): Promise<LinkedInvitation | undefined> {
    const { rows } = await this.pool.query<LinkedInvitation>(
      `SELECT l.org_id AS "orgId", l.member_id AS "memberId", l.mailed, p.member_id AS "personId", p.email,
              p.password_hash AS "passwordHash",
              p.password_hash IS NULL AND NOT p.proven
                AND NOT EXISTS (SELECT 1 FROM oidc_identity i WHERE i.person_id = p.member_id) AS unclaimed
         FROM invitation_link l JOIN membership m USING (org_id, member_id) JOIN person p ON p.member_id = m.person_id
        WHERE l.hash = $1 AND l.expires_at > clock_timestamp()`,
      [hashOf(token)],
    );
    return rows[0];
  }

  /** Uses the link up. @returns false when another request did, or it has expired */
  async use(tx: Tx, token: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      'DELETE FROM invitation_link WHERE hash = $1 AND expires_at > clock_timestamp()',
      [hashOf(token)],
    );
    return rowCount === 1;
  }

  /** @param passwordHash null: it stays as it is */
  async claim(
    tx: Tx,
    personId: string,
    { passwordHash, proven }: { passwordHash: string | null; proven: boolean },
  ): Promise<void> {
    await tx.query(
      `UPDATE person SET password_hash = coalesce($2, password_hash), proven = proven OR $3 WHERE member_id = $1`,
      [personId, passwordHash, proven],
    );
  }

  async setActive(tx: Tx, orgId: string, memberId: string, name: string | null): Promise<void> {
    await tx.query(
      `UPDATE membership SET status = 'active', name = coalesce($3, name) WHERE org_id = $1 AND member_id = $2`,
      [orgId, memberId, name],
    );
  }

  /** What a mail about the invitation says. */
  async mailFacts(
    orgId: string,
    memberId: string,
    invitedBy: string | null,
  ): Promise<{ to: string; name: string; workspace_name: string; invited_by: string | null } | undefined> {
    const { rows } = await this.pool.query<{
      to: string;
      name: string;
      workspace_name: string;
      invited_by: string | null;
    }>(
      `SELECT m.email AS to, m.name, w.name AS workspace_name, i.name AS invited_by
         FROM membership m JOIN workspace w USING (org_id)
         LEFT JOIN membership i ON i.org_id = m.org_id AND i.member_id = $3
        WHERE m.org_id = $1 AND m.member_id = $2`,
      [orgId, memberId, invitedBy],
    );
    return rows[0];
  }

  async forget(): Promise<void> {
    await this.pool.query('DELETE FROM invitation_link WHERE expires_at < clock_timestamp()');
  }
}
