import { type DecidingOperator, operatorRoles, Refused, Unavailable } from '@agentlattice/contracts';
import type { ProjectedEvent, Statement, Tx } from '@agentlattice/event-store';
import type pg from 'pg';
import type { Person } from '../domain/may-decide.js';

/** Events that make a person a member, change or end that; an invitation does not. */
export const memberEventTypes = [
  'member.created',
  'member.accepted',
  'member.updated',
  'member.removed',
] as const;

/** Stores the members of workspaces, by the gateway's events. */
export async function projectMember(tx: Tx, event: ProjectedEvent): Promise<void> {
  if (event.type === 'member.updated' || event.type === 'member.removed') return changeMember(tx, event);
  if (event.type !== 'member.created' && event.type !== 'member.accepted') return;
  const { member_id, role, groups } = event.data;
  await tx.query(
    `INSERT INTO member (org_id, member_id, role, groups, since) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (org_id, member_id) DO UPDATE SET role = excluded.role, groups = excluded.groups`,
    [event.org_id, member_id, role, groups, event.occurred_at],
  );
}

/** The change of someone who is no member yet, because the invitation is open, changes nothing here. */
async function changeMember(
  tx: Tx,
  event: Extract<ProjectedEvent, { type: 'member.updated' | 'member.removed' }>,
): Promise<void> {
  const { org_id, event_id, occurred_at, correlation_id, traceparent } = event;
  const { member_id } = event.data;
  const [role, groups] =
    event.type === 'member.updated' ? [event.data.role, event.data.groups] : [null, null];
  const { rowCount } = await tx.query(
    `UPDATE member SET role = coalesce($3, role), groups = coalesce($4, groups),
            removed_at = CASE WHEN $3::text IS NULL THEN $5::timestamptz ELSE removed_at END
      WHERE org_id = $1 AND member_id = $2`,
    [org_id, member_id, role, groups, occurred_at],
  );
  if (rowCount === 0) return;
  await tx.query(
    `INSERT INTO member_change (org_id, member_id, event_id, correlation_id, traceparent) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (org_id, member_id) DO UPDATE
       SET event_id = excluded.event_id, noted_at = excluded.noted_at, correlation_id = excluded.correlation_id,
           traceparent = excluded.traceparent`,
    [org_id, member_id, event_id, correlation_id, traceparent],
  );
}

type MemberRow = Pick<Person, 'role' | 'groups' | 'since'>;

/** The person that the gateway names in a command, and the workspace. */
export interface Claim {
  readonly orgId: string;
  readonly operator: DecidingOperator;
}

/** Reads the known data of these people; `personIn` takes its rows. */
export function findMembersStatement(claims: readonly Claim[]): Statement {
  const unique = [...new Map(claims.map((claim) => [keyOf(claim), claim])).values()];
  return {
    text: `SELECT m.org_id, m.member_id, m.role, m.groups, m.since
       FROM (SELECT * FROM unnest($1::text[], $2::text[]) AS k (org_id, member_id) LIMIT $3) AS k
       JOIN member m USING (org_id, member_id) WHERE m.removed_at IS NULL`,
    values: [
      unique.map(({ orgId }) => orgId),
      unique.map(({ operator }) => operator.member_id),
      unique.length,
    ],
  };
}

/** @returns null if the known data does not cover the claim: then `Members.person` asks the gateway */
export function personIn(rows: readonly object[], { orgId, operator }: Claim): Person | null {
  const known = rows as readonly (MemberRow & { org_id: string; member_id: string })[];
  const member = known.find((row) => row.org_id === orgId && row.member_id === operator.member_id);
  return member !== undefined && covers(member, operator) ? personOf(operator, member) : null;
}

const keyOf = ({ orgId, operator }: Claim) => `${orgId}/${operator.member_id}`;
const personOf = ({ member_id, role }: DecidingOperator, { groups, since }: MemberRow): Person => ({
  memberId: member_id,
  role,
  groups,
  since,
});

export interface MembersPorts {
  readonly pool: pg.Pool;
  /** Asks the gateway for its events. @returns whether all of them are applied here within that time */
  readonly caughtUpWithin: (ms: number) => Promise<boolean>;
  /** How long a command of an unknown person waits for the events. */
  readonly withinMs: number;
}

/** Compares the person that the gateway names with this service's own data (decisions §3.3). */
export class Members {
  private readonly seen = new Map<string, { readonly people: readonly Person[]; readonly until: number }>();

  constructor(private readonly ports: MembersPorts) {}

  /** @throws Refused FORBIDDEN for a claim above the known role; Unavailable when the role cannot be found out */
  async person(orgId: string, claim: DecidingOperator): Promise<Person> {
    const before = await this.find(orgId, claim);
    const member = before !== null && covers(before, claim) ? before : await this.findAnew(orgId, claim);
    if (member === null) throw new Refused('FORBIDDEN', 'this person is no member of the workspace');
    if (!covers(member, claim))
      throw new Refused('FORBIDDEN', `this person is a ${member.role} of the workspace`);
    return personOf(claim, member);
  }

  /** All members of these workspaces, at most a second old: for figures that need not be exact. */
  async lately(orgIds: readonly string[]): Promise<Map<string, readonly Person[]>> {
    const now = performance.now();
    const asked = [...new Set(orgIds)];
    const missing = asked.filter((orgId) => (this.seen.get(orgId)?.until ?? 0) <= now);
    if (missing.length > 0) {
      for (const [orgId, { until }] of this.seen) if (until <= now) this.seen.delete(orgId);
      const found = await this.everybody(missing);
      for (const orgId of missing)
        this.seen.set(orgId, { people: found.get(orgId) ?? [], until: now + latelyMs });
    }
    return new Map(asked.map((orgId) => [orgId, this.seen.get(orgId)?.people ?? []]));
  }

  /** All members of these workspaces. */
  async everybody(orgIds: readonly string[]): Promise<Map<string, Person[]>> {
    const { rows } = await this.ports.pool.query<Person & { orgId: string }>(
      `SELECT org_id AS "orgId", member_id AS "memberId", role, groups, since FROM member
        WHERE org_id = ANY ($1) AND removed_at IS NULL`,
      [orgIds],
    );
    return Map.groupBy(rows, (row) => row.orgId);
  }

  /** @returns whether all events of the gateway are applied here */
  async upToDate(): Promise<boolean> {
    return this.ports.caughtUpWithin(this.ports.withinMs);
  }

  private async find(orgId: string, { member_id }: DecidingOperator): Promise<MemberRow | null> {
    const { rows } = await this.ports.pool.query<MemberRow>(
      'SELECT role, groups, since FROM member WHERE org_id = $1 AND member_id = $2 AND removed_at IS NULL',
      [orgId, member_id],
    );
    return rows[0] ?? null;
  }

  /**
   * The event of a new member may not have arrived: asking the gateway returns all events that it committed before the claim.
   */
  private async findAnew(orgId: string, claim: DecidingOperator): Promise<MemberRow | null> {
    const caughtUp = await this.ports.caughtUpWithin(this.ports.withinMs);
    const member = await this.find(orgId, claim);
    if (member !== null && covers(member, claim)) return member;
    if (!caughtUp) throw new Unavailable('the gateway cannot be asked who this is');
    return member;
  }
}

const latelyMs = 1_000;
const rank = (role: DecidingOperator['role']) => operatorRoles.indexOf(role);
/** A key's role may be lower than its member's. */
const covers = (member: MemberRow, claim: DecidingOperator) => rank(claim.role) <= rank(member.role);
