import type { Queryable } from '@agentlattice/event-store';
import type { Link, LiveLinks } from '../domain/chain-of-links.js';

interface Row {
  readonly delegation_id: string;
  readonly org_id: string;
  readonly agent_id: string;
  readonly parent_agent_id: string;
  readonly parent_id: string | null;
  readonly capabilities: string[];
  readonly expires_at: Date;
  readonly live: boolean;
}

/** The delegations that have not ended, in memory. Each change of one raises the revision that the policies are read by. */
export class LiveDelegations {
  private known = new Map<string, Link>();

  get links(): LiveLinks {
    return this.known;
  }

  /** Reads the delegations that changed after a revision; those before the first one: all live ones, in place of the known. */
  async read(db: Queryable, after: number): Promise<void> {
    const anew = after < 0;
    const { rows } = await db.query<Row>(
      `SELECT delegation_id, org_id, agent_id, parent_agent_id, parent_id, capabilities, expires_at, ended_at IS NULL AS live
         FROM delegation WHERE ${anew ? 'ended_at IS NULL' : 'revision > $1'}`,
      anew ? [] : [after],
    );
    const links = anew ? new Map<string, Link>() : this.known;
    for (const row of rows)
      if (row.live) links.set(row.delegation_id, linkOf(row));
      else links.delete(row.delegation_id);
    this.known = links;
  }
}

const linkOf = (row: Row): Link => ({
  id: row.delegation_id,
  orgId: row.org_id,
  agentId: row.agent_id,
  parentAgentId: row.parent_agent_id,
  parentId: row.parent_id,
  capabilities: row.capabilities,
  expiresAt: row.expires_at.getTime(),
});
