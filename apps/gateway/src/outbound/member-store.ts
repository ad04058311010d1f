import type { OperatorRole, RemovedMember } from '@agentlattice/contracts';
import type { Queryable, Tx } from '@agentlattice/event-store';
import type pg from 'pg';

/** The rows of members that are changed or removed. */
export class MemberStore {
  constructor(private readonly pool: pg.Pool) {}

  /**
   * Waits for other changes of members of the workspace until the end of the transaction, so that two administrators cannot
   * both leave because each sees the other.
   * @returns how many other members are active administrators
   */
  async lockOtherAdmins(tx: Tx, orgId: string, memberId: string): Promise<number> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7156))', [orgId]);
    const { rows } = await tx.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM membership
        WHERE org_id = $1 AND member_id <> $2 AND role = 'admin' AND status = 'active'`,
      [orgId, memberId],
    );
    return rows[0]?.count ?? 0;
  }

  /** Whether the member is the instance administrator in the workspace where that account was made. */
  async isInstanceAdmin(orgId: string, memberId: string, db: Queryable = this.pool): Promise<boolean> {
    const { rowCount } = await db.query(
      `SELECT 1 FROM membership m JOIN person p ON p.member_id = m.person_id
        WHERE m.org_id = $1 AND m.member_id = $2 AND m.status <> 'removed' AND p.instance_admin
          AND p.home_org_id = m.org_id`,
      [orgId, memberId],
    );
    return rowCount === 1;
  }

  async change(
    tx: Tx,
    orgId: string,
    memberId: string,
    { name, role, groups }: { name: string | null; role: OperatorRole; groups: readonly string[] },
  ): Promise<void> {
    await tx.query(
      `UPDATE membership SET name = coalesce($3, name), role = $4, groups = $5 WHERE org_id = $1 AND member_id = $2`,
      [orgId, memberId, name, role, groups],
    );
  }

  async remove(tx: Tx, orgId: string, memberId: string): Promise<void> {
    await tx.query(`UPDATE membership SET status = 'removed' WHERE org_id = $1 AND member_id = $2`, [
      orgId,
      memberId,
    ]);
  }

  /** The ids of the member's own keys that are not revoked. */
  async keysOf(tx: Tx, orgId: string, memberId: string): Promise<string[]> {
    const { rows } = await tx.query<{ id: string }>(
      `SELECT id FROM api_key WHERE org_id = $1 AND member_id = $2 AND revoked_at IS NULL ORDER BY id`,
      [orgId, memberId],
    );
    return rows.map(({ id }) => id);
  }

  /** Valid keys of others that the person made or was shown. */
  async heldKeys(orgId: string, memberId: string): Promise<RemovedMember['held_keys']> {
    const { rows } = await this.pool.query<RemovedMember['held_keys'][number]>(
      `SELECT k.id, k.name, k.kind FROM api_key k LEFT JOIN agent a ON a.id = k.agent_id
        WHERE k.org_id = $1 AND k.member_id IS DISTINCT FROM $2 AND k.revoked_at IS NULL
          AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
          AND (k.made_by = $2 OR $2 = ANY (k.shown_to) OR $2 = ANY (a.registrants))
        ORDER BY k.id LIMIT 1000`,
      [orgId, memberId],
    );
    return rows;
  }
}

export async function setKeysRevoked(tx: Tx, keyIds: readonly string[]): Promise<void> {
  await tx.query('UPDATE api_key SET revoked_at = clock_timestamp() WHERE id = ANY ($1)', [keyIds]);
}
