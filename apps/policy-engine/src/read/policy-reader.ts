import {
  type Actor,
  type CommandRequest,
  type policyEngineCommands,
  type PolicyVersion,
  type PolicyView,
  Refused,
} from '@agentlattice/contracts';
import type pg from 'pg';
import type { PolicyEvent } from '../domain/policy.js';
import { page, readCursor } from '@agentlattice/service';
import { policyColumns, type PolicyRow, toView } from './policy-row.js';

interface VersionRow {
  version: number;
  type: PolicyEvent['type'];
  data: PolicyEvent['data'];
  actor: Actor | null;
  occurred_at: Date;
}

/** The queries of operators about policies. */
export class PolicyReader {
  constructor(private readonly pool: pg.Pool) {}

  /** @throws Refused NOT_FOUND, also for a policy of another workspace */
  async get(orgId: string, policyId: string): Promise<PolicyView> {
    const { rows } = await this.pool.query<PolicyRow>(
      `SELECT ${policyColumns} FROM policy WHERE org_id = $1 AND policy_id = $2`,
      [orgId, policyId],
    );
    const [row] = rows;
    if (row === undefined) throw notFound();
    return toView(row);
  }

  /** Oldest first. */
  async list({
    org_id,
    action_type,
    active,
    cursor,
    limit,
  }: CommandRequest<typeof policyEngineCommands.list_policies>) {
    const { rows } = await this.pool.query<PolicyRow>(
      `SELECT ${policyColumns} FROM policy
        WHERE org_id = $1 AND policy_id > $2 AND ($3::text IS NULL OR action_type = $3)
          AND ($4::boolean IS NULL OR active = $4)
        ORDER BY policy_id LIMIT $5`,
      [org_id, readCursor(cursor, /^pol_[0-9a-z]{26}$/) ?? '', action_type, active, limit + 1],
    );
    const { items, next_cursor } = page(rows.map(toView), limit, (policy) => policy.id);
    return { policies: items, next_cursor };
  }

  /** Newest first, also of a deleted policy. @throws Refused NOT_FOUND */
  async versions({
    org_id,
    policy_id,
    cursor,
    limit,
  }: CommandRequest<typeof policyEngineCommands.list_versions>) {
    const before = readCursor(cursor, /^[1-9]\d{0,8}$/);
    const { rows } = await this.pool.query<VersionRow>(
      `SELECT version, type, data, meta->'actor' AS actor, occurred_at FROM event
        WHERE org_id = $1 AND stream_id = $2 AND ($3::int IS NULL OR version < $3)
        ORDER BY version DESC LIMIT $4`,
      [org_id, policy_id, before, limit + 1],
    );
    if (rows.length === 0 && before === null) throw notFound();
    const { items, next_cursor } = page(rows.map(toVersion), limit, ({ version }) => String(version));
    return { versions: items, next_cursor };
  }
}

const notFound = () => new Refused('NOT_FOUND', 'there is no such policy in this workspace');

const changes = {
  'policy.created': 'created',
  'policy.updated': 'updated',
  'policy.activated': 'activated',
  'policy.deactivated': 'deactivated',
  'policy.deleted': 'deleted',
} as const satisfies Record<PolicyEvent['type'], PolicyVersion['change']>;

const toVersion = (row: VersionRow): PolicyVersion => ({
  version: row.version,
  hash: row.data.hash,
  change: changes[row.type],
  content: row.data.content,
  actor: row.actor,
  at: row.occurred_at.toISOString(),
});
