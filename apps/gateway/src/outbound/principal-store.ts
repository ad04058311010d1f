import type { AgentView, KeyView, MembershipStatus, MemberView, OperatorRole } from '@agentlattice/contracts';
import {
  appendEvents,
  type EventMeta,
  EventStore,
  inTransaction,
  type NewEvent,
  storable,
  type StoredEvent,
  type Tx,
} from '@agentlattice/event-store';
import type pg from 'pg';
import type { DelegatedBy } from '../domain/agent.js';
import { plainFormOf } from '../domain/agent-name.js';
import { carriesInstanceRights } from '../domain/key-maker.js';
import type { NewKey } from '../domain/new-key.js';
import { type ActingAgent, lesserRole } from '../domain/principal.js';
import { actingUnderOf, joinLineage, lineageColumns, type LineageRow, standingIn } from './agent-lineage.js';

export interface NewPerson {
  readonly id: string;
  readonly email: string;
  readonly passwordHash: string | null;
  readonly instanceAdmin?: boolean;
  /** Whether its sessions may act in other workspaces; default no (ADR 48). */
  readonly proven?: boolean;
  /** The members who know the password; default none. */
  readonly passwordKnownTo?: readonly string[];
}

export interface NewMembership {
  /** The person's own id, or a new one that reveals nothing about the person. */
  readonly id: string;
  readonly personId: string;
  readonly email: string;
  readonly name: string;
  readonly role: OperatorRole;
  readonly groups: readonly string[];
  readonly status: MembershipStatus;
}

export interface NewAgent {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly ownerMemberId: string | null;
  /** The members who hold the key that registered it; each of them can use the agent. */
  readonly registrants: readonly string[];
  readonly delegation: DelegatedBy | null;
}

export interface StoredStanding {
  /** It is, or an agent that it acts for. */
  readonly suspended: boolean;
  /** When the last of them was resumed, in epoch milliseconds; null when none was suspended ever. */
  readonly resumedAt: number | null;
  /** The event that suspended the agent itself; null while it is not. */
  readonly suspendedBy: string | null;
  /** Null: it acts for no other agent. */
  readonly delegationId: string | null;
}

export interface Page {
  readonly cursor: string | null;
  readonly limit: number;
}

/** Rows and events of workspaces, members, agents and keys, written in one transaction. */
export class PrincipalStore {
  readonly events: EventStore;

  constructor(private readonly pool: pg.Pool) {
    this.events = new EventStore(pool);
  }

  inTransaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return inTransaction(this.pool, work);
  }

  /** Appends the first events of new streams. */
  async begin(
    tx: Tx,
    orgId: string,
    meta: EventMeta,
    streams: readonly { readonly id: string; readonly events: readonly Pick<NewEvent, 'type' | 'data'>[] }[],
  ): Promise<Date> {
    const { rows } = await tx.query<{ now: Date }>(
      `SELECT date_trunc('milliseconds', clock_timestamp()) AS now`,
    );
    const now = rows[0]?.now;
    if (now === undefined) throw new Error('the database did not return its time');
    await appendEvents(
      tx,
      streams.flatMap(({ id, events }) =>
        events.map(({ type, data }, i) => ({
          org_id: orgId,
          stream_id: id,
          version: i + 1,
          type,
          data,
          meta,
          occurred_at: now,
        })),
      ),
    );
    return now;
  }

  async insertWorkspace(tx: Tx, orgId: string, name: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      'INSERT INTO workspace (org_id, name) VALUES ($1, $2) ON CONFLICT (org_id) DO NOTHING',
      [orgId, name],
    );
    return rowCount === 1;
  }

  /**
   * The account of an address, made when there is none; one transaction at a time for each address. An existing account is not
   * changed, so that a second workspace cannot set its password or take it over.
   */
  async ensurePerson(
    tx: Tx,
    homeOrgId: string,
    { id, email, passwordHash, instanceAdmin = false, proven = false, passwordKnownTo = [] }: NewPerson,
  ): Promise<{ personId: string; isNew: boolean }> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended(lower($1), 7155))', [email]);
    const { rows } = await tx.query<{ member_id: string }>(
      'SELECT member_id FROM person WHERE lower(email) = lower($1)',
      [email],
    );
    if (rows[0] !== undefined) return { personId: rows[0].member_id, isNew: false };
    await tx.query(
      `INSERT INTO person (member_id, email, password_hash, instance_admin, home_org_id, proven, password_known_to)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [id, email, passwordHash, instanceAdmin, homeOrgId, proven, passwordKnownTo],
    );
    return { personId: id, isNew: true };
  }

  /** Sets the password and the home workspace of an account from a new credentials file. */
  async settlePerson(tx: Tx, personId: string, homeOrgId: string, passwordHash: string): Promise<void> {
    await tx.query(
      `UPDATE person SET password_hash = $2, home_org_id = $3, proven = true, password_known_to = '{}'
        WHERE member_id = $1`,
      [personId, passwordHash, homeOrgId],
    );
  }

  /** @returns false when the person is a member of the workspace already, or was invited */
  async insertMembership(tx: Tx, orgId: string, member: NewMembership): Promise<boolean> {
    const { id, personId, email, name, role, groups, status } = member;
    const { rowCount } = await tx.query(
      `INSERT INTO membership (org_id, member_id, person_id, email, name, role, groups, status)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
      [orgId, id, personId, email, name, role, groups, status],
    );
    return rowCount === 1;
  }

  /** @returns false when the agent is there already */
  async insertAgent(
    tx: Tx,
    orgId: string,
    { id, name, description, ownerMemberId, registrants, delegation }: NewAgent,
  ): Promise<boolean> {
    const { rowCount } = await tx.query(
      `INSERT INTO agent (id, org_id, name, description, owner_member_id, registrants, delegation_id, ancestors)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
      [
        id,
        orgId,
        name,
        description,
        ownerMemberId,
        registrants,
        delegation?.id ?? null,
        (delegation?.actingFor ?? []).map((agent) => agent.id),
      ],
    );
    return rowCount === 1;
  }

  /** @returns false when another agent of the workspace has a name that reads the same; concurrent calls wait for the first */
  async takeAgentName(tx: Tx, orgId: string, { id, name }: Pick<NewAgent, 'id' | 'name'>): Promise<boolean> {
    const { rowCount } = await tx.query(
      'INSERT INTO agent_name (org_id, name, agent_id, plain) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [orgId, name, id, plainFormOf(name)],
    );
    return rowCount === 1;
  }

  /** Brings an agent's row up to its events. @param reason of the change: an erasable value, so it is in no event */
  async projectAgent(tx: Tx, events: readonly StoredEvent[], reason: string | null): Promise<void> {
    for (const { org_id, stream_id, event_id, type, occurred_at } of events) {
      const suspended = type === 'agent.suspended';
      if (!suspended && type !== 'agent.resumed') continue;
      await tx.query(
        `UPDATE agent SET suspended = $3, suspended_at = $4, suspended_event_id = $5, resumed_at = coalesce($6, resumed_at)
          WHERE org_id = $1 AND id = $2`,
        suspended
          ? [org_id, stream_id, true, occurred_at, event_id, null]
          : [org_id, stream_id, false, null, null, occurred_at],
      );
      if (reason !== null && reason !== '')
        await tx.query(
          `INSERT INTO event_value (org_id, event_id, name, value) VALUES ($1, $2, 'reason', $3)`,
          [org_id, event_id, storable(reason)],
        );
    }
  }

  /** Whether an agent is suspended at this moment, or one that it acts for; null for an agent that does not exist. */
  async standing(orgId: string, agentId: string): Promise<StoredStanding | null> {
    const { rows } = await this.pool.query<
      LineageRow & { suspended: boolean; resumed_at: Date | null; suspended_event_id: string | null }
    >(
      `SELECT a.suspended, a.resumed_at, a.suspended_event_id, ${lineageColumns}
         FROM agent a ${joinLineage} WHERE a.org_id = $1 AND a.id = $2`,
      [orgId, agentId],
    );
    const [row] = rows;
    return row === undefined
      ? null
      : {
          ...standingIn(row, row),
          suspendedBy: row.suspended_event_id,
          delegationId: row.delegation_id,
        };
  }

  async insertKey(tx: Tx, orgId: string, key: NewKey): Promise<void> {
    await tx.query(
      `INSERT INTO api_key (id, org_id, name, kind, hash, prefix, role, scopes, member_id, agent_id, made_by, own,
                            shown_to, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
      [
        key.id,
        orgId,
        key.name,
        key.kind,
        key.hash,
        key.prefix,
        key.role ?? null,
        key.scopes ?? [],
        key.memberId ?? null,
        key.agentId ?? null,
        key.madeBy,
        key.own,
        key.shownTo,
        key.expiresAt ?? null,
      ],
    );
  }

  /** @returns the time it ends at: the overlap's end, or the key's own if that is sooner */
  async endKeyAt(tx: Tx, orgId: string, keyId: string, at: string): Promise<void> {
    await tx.query('UPDATE api_key SET expires_at = least(expires_at, $3) WHERE org_id = $1 AND id = $2', [
      orgId,
      keyId,
      at,
    ]);
  }

  async revokeKey(tx: Tx, orgId: string, keyId: string): Promise<void> {
    await tx.query('UPDATE api_key SET revoked_at = clock_timestamp() WHERE org_id = $1 AND id = $2', [
      orgId,
      keyId,
    ]);
  }

  async keyIsKnown(tx: Tx, hash: Buffer): Promise<boolean> {
    const { rowCount } = await tx.query('SELECT 1 FROM api_key WHERE hash = $1', [hash]);
    return rowCount === 1;
  }

  async agent(orgId: string, id: string): Promise<AgentView | undefined> {
    return (await this.agents(orgId, { cursor: null, limit: 1 }, id))[0];
  }

  /** The agent as a principal with a key of it has it; undefined also when an agent that it acts for is missing. */
  async actingAgent(orgId: string, agentId: string): Promise<ActingAgent | undefined> {
    const { rows } = await this.pool.query<
      Omit<ActingAgent, 'delegation'> & LineageRow & { readonly resumed_at: Date | null }
    >(
      `SELECT a.id, a.name, a.suspended, a.resumed_at, a.owner_member_id, ${lineageColumns}
         FROM agent a ${joinLineage} WHERE a.org_id = $1 AND a.id = $2`,
      [orgId, agentId],
    );
    const [row] = rows;
    const delegation = row === undefined ? undefined : actingUnderOf(row);
    if (row === undefined || delegation === undefined) return undefined;
    const { id, name, owner_member_id } = row;
    return { id, name, owner_member_id, suspended: standingIn(row, row).suspended, delegation };
  }

  async agents(orgId: string, { cursor, limit }: Page, id: string | null = null): Promise<AgentView[]> {
    const { rows } = await this.pool.query<
      Omit<AgentView, 'created_at' | 'suspended_at'> & { created_at: Date; suspended_at: Date | null }
    >(
      `SELECT a.id, a.name, a.description, a.owner_member_id, o.name AS owner_name, a.suspended, a.suspended_at,
              v.value AS suspended_reason, a.created_at
         FROM agent a LEFT JOIN membership o ON o.org_id = a.org_id AND o.member_id = a.owner_member_id
                      LEFT JOIN event_value v ON v.event_id = a.suspended_event_id AND v.name = 'reason'
        WHERE a.org_id = $1 AND ($2::text IS NULL OR a.id > $2) AND ($3::text IS NULL OR a.id = $3)
        ORDER BY a.id LIMIT $4`,
      [orgId, cursor, id, limit],
    );
    return rows.map((row) => ({
      ...row,
      suspended_at: row.suspended_at?.toISOString() ?? null,
      created_at: row.created_at.toISOString(),
    }));
  }

  async member(orgId: string, id: string): Promise<MemberView | undefined> {
    return (await this.members(orgId, { cursor: null, limit: 1 }, id))[0];
  }

  async members(orgId: string, { cursor, limit }: Page, id: string | null = null): Promise<MemberView[]> {
    const { rows } = await this.pool.query<Omit<MemberView, 'created_at'> & { created_at: Date }>(
      `SELECT m.member_id AS id, m.email, m.name, m.role, m.groups, m.status, m.created_at FROM membership m
       WHERE m.org_id = $1 AND m.status <> 'removed'
         AND ($2::text IS NULL OR member_id > $2) AND ($3::text IS NULL OR member_id = $3)
       ORDER BY member_id LIMIT $4`,
      [orgId, cursor, id, limit],
    );
    return rows.map((row) => ({ ...row, created_at: row.created_at.toISOString() }));
  }

  async key(orgId: string, id: string): Promise<KeyView | undefined> {
    return (await this.keys(orgId, { cursor: null, limit: 1 }, id))[0];
  }

  /** Whether a key carries the rights of its person over the instance, expired or not. */
  async hasInstanceRights(orgId: string, keyId: string): Promise<boolean> {
    const { rows } = await this.pool.query<{
      own: boolean;
      role: OperatorRole;
      member_role: OperatorRole;
      instance_admin: boolean;
      home_org_id: string | null;
    }>(
      `SELECT k.own, k.role, m.role AS member_role, p.instance_admin, p.home_org_id
         FROM api_key k JOIN membership m USING (org_id, member_id) JOIN person p ON p.member_id = m.person_id
        WHERE k.org_id = $1 AND k.id = $2 AND k.kind = 'operator'`,
      [orgId, keyId],
    );
    return rows.some(({ own, role, member_role, instance_admin, home_org_id }) =>
      carriesInstanceRights({
        own,
        orgId,
        role: lesserRole(role, member_role),
        person: { instanceAdmin: instance_admin, homeOrgId: home_org_id },
      }),
    );
  }

  async keys(orgId: string, { cursor, limit }: Page, id: string | null = null): Promise<KeyView[]> {
    type Times = 'created_at' | 'last_used_at' | 'expires_at' | 'revoked_at';
    const { rows } = await this.pool.query<Omit<KeyView, Times> & Record<Times, Date | null>>(
      `SELECT k.id, k.name, k.kind, k.prefix, k.role, k.scopes, k.member_id, m.name AS member_name, k.agent_id,
              k.made_by, b.name AS made_by_name, k.created_at, u.last_used_at, k.expires_at, k.revoked_at
       FROM api_key k LEFT JOIN key_use u ON u.key_id = k.id
                      LEFT JOIN membership m ON m.org_id = k.org_id AND m.member_id = k.member_id
                      LEFT JOIN membership b ON b.org_id = k.org_id AND b.member_id = k.made_by
       WHERE k.org_id = $1 AND ($2::text IS NULL OR k.id > $2) AND ($3::text IS NULL OR k.id = $3)
       ORDER BY k.id LIMIT $4`,
      [orgId, cursor, id, limit],
    );
    return rows.map((row) => ({
      ...row,
      created_at: row.created_at?.toISOString() ?? '',
      last_used_at: row.last_used_at?.toISOString() ?? null,
      expires_at: row.expires_at?.toISOString() ?? null,
      revoked_at: row.revoked_at?.toISOString() ?? null,
    }));
  }
}
