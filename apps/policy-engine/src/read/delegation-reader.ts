import {
  type CommandRequest,
  type CommandResponse,
  type DelegationView,
  type policyEngineCommands,
  Refused,
} from '@agentlattice/contracts';
import { page, readCursor } from '@agentlattice/service';
import type pg from 'pg';

type List = typeof policyEngineCommands.list_delegations;

interface Row {
  readonly delegation_id: string;
  readonly agent_id: string;
  readonly agent_name: string;
  readonly parent_agent_id: string;
  readonly parent_id: string | null;
  readonly capabilities: string[];
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly revoked_at: Date | null;
  readonly active: boolean;
}

/** A child never outlives its parent's delegation, and a revocation ends all below it: one row says whether it is live. */
const active = 'ended_at IS NULL AND expires_at > clock_timestamp()';
const cursorForm = /^del_[0-9a-z]{26}$/;

export class DelegationReader {
  constructor(private readonly pool: pg.Pool) {}

  /** @throws Refused NOT_FOUND */
  async get(orgId: string, delegationId: string): Promise<DelegationView> {
    const { rows } = await this.pool.query<Row>(
      `SELECT *, ${active} AS active FROM delegation WHERE org_id = $1 AND delegation_id = $2`,
      [orgId, delegationId],
    );
    const [row] = rows;
    if (row === undefined) throw new Refused('NOT_FOUND', 'there is no such delegation in this workspace');
    return viewOf(row);
  }

  async list(request: CommandRequest<List>): Promise<CommandResponse<List>> {
    const { org_id, agent_id, role, active_only, cursor, limit } = request;
    const { rows } = await this.pool.query<Row>(
      `SELECT *, ${active} AS active FROM delegation
        WHERE org_id = $1 AND ($2::text IS NULL OR delegation_id < $2)
          AND ($3::text IS NULL OR (parent_agent_id = $3 AND $4) OR (agent_id = $3 AND $5))
          AND (NOT $6::boolean OR (${active}))
        ORDER BY delegation_id DESC LIMIT $7`,
      [
        org_id,
        readCursor(cursor, cursorForm),
        agent_id,
        role !== 'child',
        role !== 'parent',
        active_only,
        limit + 1,
      ],
    );
    const { items, next_cursor } = page(rows.map(viewOf), limit, ({ id }) => id);
    return { delegations: items, next_cursor };
  }
}

const viewOf = (row: Row): DelegationView => ({
  id: row.delegation_id,
  scope: { capabilities: row.capabilities },
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
  active: row.active,
  revoked_at: row.revoked_at?.toISOString() ?? null,
  parent_config_id: row.parent_agent_id,
  child_config_id: row.agent_id,
  child_name: row.agent_name,
  parent_delegation_id: row.parent_id,
});
