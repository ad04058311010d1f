import type { InvitationView, MembershipStatus } from '@agentlattice/contracts';
import type { Tx } from '@agentlattice/event-store';
import type pg from 'pg';
import type { Page } from './principal-store.js';

/** The memberships of an invited person in all workspaces, as that person sees them. */
export class InvitationStore {
  constructor(private readonly pool: pg.Pool) {}

  /** The memberships that were not accepted. */
  async list(personId: string, { cursor, limit }: Page): Promise<InvitationView[]> {
    return (await this.read(personId, cursor, null, limit)).flatMap(({ status, ...invitation }) =>
      status === 'active' ? [] : [{ ...invitation, status }],
    );
  }

  /** One membership, also when it was accepted. */
  async find(personId: string, id: string): Promise<Membership | undefined> {
    return (await this.read(personId, null, id, 1))[0];
  }

  async setStatus(
    tx: Tx,
    orgId: string,
    memberId: string,
    status: MembershipStatus | 'removed',
  ): Promise<void> {
    await tx.query('UPDATE membership SET status = $3 WHERE org_id = $1 AND member_id = $2', [
      orgId,
      memberId,
      status,
    ]);
  }

  private async read(
    personId: string,
    cursor: string | null,
    id: string | null,
    limit: number,
  ): Promise<Membership[]> {
    const { rows } = await this.pool.query<Omit<Membership, 'created_at'> & { created_at: Date }>(
      `SELECT m.member_id AS id, m.org_id, w.name AS workspace_name, m.role, m.groups, m.status, m.created_at
         FROM membership m JOIN workspace w USING (org_id)
        WHERE m.person_id = $1 AND m.member_id <> m.person_id AND m.status <> 'removed' AND ($2::text IS NULL OR m.member_id > $2)
          AND CASE WHEN $3::text IS NULL THEN m.status <> 'active' ELSE m.member_id = $3 END
        ORDER BY m.member_id LIMIT $4`,
      [personId, cursor, id, limit],
    );
    return rows.map((row) => ({ ...row, created_at: row.created_at.toISOString() }));
  }
}

export type Membership = Omit<InvitationView, 'status'> & { readonly status: MembershipStatus };
