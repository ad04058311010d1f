import type { Actor, CommandResponse, OperatorRole, policyEngineCommands } from '@agentlattice/contracts';
import type { ProjectedEvent, Queryable, Tx } from '@agentlattice/event-store';
import type pg from 'pg';
import type { Forever } from '../domain/forever.js';

export type PolicyLeft = CommandResponse<typeof policyEngineCommands.allow_forever>;

/** An approval for ever, with the member who gave it and the actor of the change. */
export interface ForeverRequest extends Forever {
  readonly org_id: string;
  readonly member_id: string;
  readonly actor: Actor;
  readonly correlation_id: string | null;
  readonly traceparent: string | null;
}

/** Projects events of other services: the roles of members, and approvals for ever. */
export async function noteForever(tx: Tx, event: ProjectedEvent): Promise<void> {
  if (event.type === 'member.created' || event.type === 'member.accepted') {
    const { member_id, role, groups } = event.data;
    await tx.query(
      `INSERT INTO member_role (org_id, member_id, role, groups) VALUES ($1, $2, $3, $4)
       ON CONFLICT (org_id, member_id) DO UPDATE SET role = excluded.role, groups = excluded.groups`,
      [event.org_id, member_id, role, groups],
    );
  }
  // Only for those who are members: an invitation that changes has no row yet.
  if (event.type === 'member.updated' || event.type === 'member.removed') {
    // The row of a removed member stays with the least rights, because it is never deleted.
    const { role, groups } =
      event.type === 'member.updated' ? event.data : { role: 'viewer', groups: [] as string[] };
    await tx.query('UPDATE member_role SET role = $3, groups = $4 WHERE org_id = $1 AND member_id = $2', [
      event.org_id,
      event.data.member_id,
      role,
      groups,
    ]);
  }
  if (event.type !== 'approval.approved') return;
  const { scope, forever_for, forever_by, approval_id, policy, action_type } = event.data;
  if (scope !== 'forever' || forever_by === null) return;
  const request: ForeverRequest = {
    org_id: event.org_id,
    approval_id,
    policy_id: policy.id,
    policy_version: policy.version,
    action_type,
    forever_for: forever_for ?? 'policy',
    member_id: forever_by,
    // Another person's vote may have completed the request that this member approved for ever.
    actor:
      event.actor?.id === forever_by
        ? event.actor
        : { kind: 'operator', id: forever_by, key_id: null, via: 'api' },
    correlation_id: event.correlation_id,
    traceparent: event.traceparent,
  };
  await tx.query(
    'INSERT INTO forever_request (org_id, approval_id, request) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
    [event.org_id, approval_id, JSON.stringify(request)],
  );
}

/** Approvals for ever and their results. */
export class ForeverRequests {
  constructor(private readonly pool: pg.Pool) {}

  /** Recorded by events and not settled yet, oldest first. */
  async unsettled(limit: number): Promise<ForeverRequest[]> {
    const { rows } = await this.pool.query<{ request: ForeverRequest }>(
      `SELECT request FROM forever_request WHERE result IS NULL AND request IS NOT NULL ORDER BY noted_at LIMIT $1`,
      [limit],
    );
    return rows.map((row) => row.request);
  }

  /** The result; null while it is not settled. */
  async result({ org_id, approval_id }: ForeverRequest): Promise<PolicyLeft | null> {
    const { rows } = await this.pool.query<{ result: PolicyLeft | null }>(
      'SELECT result FROM forever_request WHERE org_id = $1 AND approval_id = $2',
      [org_id, approval_id],
    );
    return rows[0]?.result ?? null;
  }

  /** @returns false when it is settled already: then the caller must change nothing */
  async settle(
    { org_id, approval_id }: ForeverRequest,
    result: PolicyLeft,
    db: Queryable = this.pool,
  ): Promise<boolean> {
    const { rowCount } = await db.query(
      `INSERT INTO forever_request AS f (org_id, approval_id, result) VALUES ($1, $2, $3)
       ON CONFLICT (org_id, approval_id) DO UPDATE SET result = excluded.result WHERE f.result IS NULL`,
      [org_id, approval_id, JSON.stringify(result)],
    );
    return rowCount === 1;
  }

  async roleOf(orgId: string, memberId: string): Promise<OperatorRole | null> {
    const { rows } = await this.pool.query<{ role: OperatorRole }>(
      'SELECT role FROM member_role WHERE org_id = $1 AND member_id = $2',
      [orgId, memberId],
    );
    return rows[0]?.role ?? null;
  }
}
