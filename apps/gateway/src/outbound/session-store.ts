import type { OperatorRole, SessionItem, SessionView } from '@agentlattice/contracts';
import type { Tx } from '@agentlattice/event-store';
import type pg from 'pg';
import { triedAddress } from '../domain/sign-in-throttle.js';
import type { SessionTimes } from '../domain/session.js';

/** An account with the workspace in which its next session begins. */
export interface Account {
  readonly personId: string;
  readonly passwordHash: string | null;
  /** Null when the person is a member of no workspace. */
  readonly membership: { readonly orgId: string; readonly memberId: string } | null;
}

/** The client that a session belongs to, as it is listed. */
export interface Client {
  readonly address: string;
  readonly userAgent: string | null;
}

export interface NewSession extends Client, SessionTimes {
  readonly id: string;
  readonly hash: Buffer;
  readonly personId: string;
  readonly orgId: string;
  readonly memberId: string;
  /** How the person proved to be this person. */
  readonly method: string;
  readonly createdAt: Date;
}

/** A session that has not ended. */
export interface LiveSession {
  readonly id: string;
  readonly orgId: string;
  readonly memberId: string;
}

/** What a page shows of a session; the CSRF token is added from the cookie. */
export type StoredSessionView = Omit<SessionView, 'csrf_token'>;

/** Whether a session `s` can go on as the membership `a`: what the provider no longer gives is closed to sessions by it. */
const mayGoOn = `a.status = 'active' AND (s.method <> 'oidc' OR a.by_claims IS NOT FALSE)`;
const live = `s.ended_at IS NULL AND s.expires_at > clock_timestamp()`;

/** Sessions, and what is read of accounts to begin one. */
export class SessionStore {
  constructor(private readonly pool: pg.Pool) {}

  /** One query, whether there is such an account or not. */
  async account(email: string): Promise<Account | undefined> {
    return (await this.accounts('lower(p.email) = $1', triedAddress(email)))[0];
  }

  async accountOf(personId: string): Promise<Account | undefined> {
    return (await this.accounts('p.member_id = $1', personId))[0];
  }

  private async accounts(condition: string, value: string): Promise<Account[]> {
    const { rows } = await this.pool.query<{
      person_id: string;
      password_hash: string | null;
      org_id: string | null;
      member_id: string | null;
    }>(
      `SELECT p.member_id AS person_id, p.password_hash, m.org_id, m.member_id
         FROM person p LEFT JOIN LATERAL (
           SELECT m.org_id, m.member_id FROM membership m
            WHERE m.person_id = p.member_id AND m.status = 'active'
            ORDER BY (SELECT max(s.created_at) FROM session s
                       WHERE s.org_id = m.org_id AND s.member_id = m.member_id) DESC NULLS LAST,
                     m.org_id IS NOT DISTINCT FROM p.home_org_id DESC, m.created_at, m.org_id
            LIMIT 1) m ON true
        WHERE ${condition}`,
      [value],
    );
    return rows.map(({ person_id, password_hash, org_id, member_id }) => ({
      personId: person_id,
      passwordHash: password_hash,
      membership: org_id === null || member_id === null ? null : { orgId: org_id, memberId: member_id },
    }));
  }

  /**
   * Locks the account until the end of the transaction.
   * @returns whether its password is still the one that was checked
   */
  async lockAccount(tx: Tx, personId: string, passwordHash: string | null): Promise<boolean> {
    const { rows } = await tx.query<{ password_hash: string | null }>(
      'SELECT password_hash FROM person WHERE member_id = $1 FOR UPDATE',
      [personId],
    );
    return rows[0] !== undefined && rows[0].password_hash === passwordHash;
  }

  /**
   * Makes changes of a person's sessions wait for each other until the end of the transaction: a session that replaces another
   * one never begins beside the change that ends it.
   */
  async lockPerson(tx: Tx, personId: string): Promise<void> {
    await tx.query('SELECT 1 FROM person WHERE member_id = $1 FOR UPDATE', [personId]);
  }

  /** Locks a membership against its end. @returns whether it is active and of this person */
  async lockMembership(tx: Tx, personId: string, orgId: string, memberId: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      `SELECT 1 FROM membership WHERE org_id = $1 AND member_id = $2 AND person_id = $3 AND status = 'active' FOR SHARE`,
      [orgId, memberId, personId],
    );
    return rowCount === 1;
  }

  /** The member as which a session that began by that method can go on in a workspace. */
  async membershipIn(personId: string, orgId: string, method: string): Promise<string | undefined> {
    const { rows } = await this.pool.query<{ member_id: string }>(
      `SELECT a.member_id FROM membership a JOIN (SELECT $3::text AS method) s ON true
        WHERE a.person_id = $1 AND a.org_id = $2 AND ${mayGoOn}`,
      [personId, orgId, method],
    );
    return rows[0]?.member_id;
  }

  async insert(tx: Tx, session: NewSession): Promise<void> {
    const { id, hash, personId, orgId, memberId, method, address, userAgent, createdAt } = session;
    await tx.query(
      `INSERT INTO session (id, hash, person_id, org_id, member_id, method, address, user_agent, created_at,
                            last_used_at, expires_at, ends_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)`,
      [
        ...[id, hash, personId, orgId, memberId, method, address, userAgent, createdAt],
        new Date(session.expiresAt),
        new Date(session.endsAt),
      ],
    );
  }

  async setPassword(tx: Tx, personId: string, passwordHash: string): Promise<void> {
    await tx.query(`UPDATE person SET password_hash = $2, password_known_to = '{}' WHERE member_id = $1`, [
      personId,
      passwordHash,
    ]);
  }

  async extend(sessionId: string, idleMs: number): Promise<void> {
    await extendSessions(this.pool, [sessionId], idleMs);
  }

  /** Sessions that began at the OpenID provider. */
  async liveByOidc(tx: Tx, personId: string): Promise<LiveSession[]> {
    return notEnded(tx, `s.person_id = $1 AND s.method = 'oidc'`, [personId]);
  }

  async liveOfMember(tx: Tx, orgId: string, memberId: string): Promise<LiveSession[]> {
    return notEnded(tx, 's.org_id = $1 AND s.member_id = $2', [orgId, memberId]);
  }

  /** A session of the person that has not ended. */
  async findLive(
    personId: string,
    sessionId: string,
  ): Promise<(LiveSession & { endsAt: Date; method: string }) | undefined> {
    const { rows } = await this.pool.query<LiveSession & { endsAt: Date; method: string }>(
      `SELECT s.id, s.org_id AS "orgId", s.member_id AS "memberId", s.ends_at AS "endsAt", s.method FROM session s
        WHERE s.person_id = $1 AND s.id = $2 AND ${live}`,
      [personId, sessionId],
    );
    return rows[0];
  }

  async list(personId: string, current: string): Promise<SessionItem[]> {
    const { rows } = await this.pool.query<
      Omit<SessionItem, 'created_at' | 'last_used_at' | 'expires_at'> &
        Record<'created_at' | 'last_used_at' | 'expires_at', Date>
    >(
      `SELECT s.id, s.created_at, s.last_used_at, s.expires_at, s.address, s.user_agent, s.id = $2 AS current
         FROM session s WHERE s.person_id = $1 AND ${live} ORDER BY s.created_at DESC, s.id LIMIT 200`,
      [personId, current],
    );
    return rows.map((row) => ({
      ...row,
      created_at: row.created_at.toISOString(),
      last_used_at: row.last_used_at.toISOString(),
      expires_at: row.expires_at.toISOString(),
    }));
  }

  async view(sessionId: string): Promise<StoredSessionView | undefined> {
    const { rows } = await this.pool.query<{
      org_id: string;
      workspace_name: string;
      email: string;
      member_id: string;
      name: string;
      role: OperatorRole;
      groups: string[];
      workspaces: StoredSessionView['workspaces'];
      password_change_needed: boolean;
      expires_at: Date;
      now: Date;
    }>(
      `SELECT s.org_id, w.name AS workspace_name, p.email, m.member_id, m.name, m.role, m.groups, s.expires_at,
              ${passwordChangeNeeded} AS password_change_needed, clock_timestamp() AS now,
              (SELECT coalesce(jsonb_agg(jsonb_build_object('org_id', o.org_id, 'name', o.name, 'role', a.role)
                                         ORDER BY o.name, o.org_id), '[]')
                 FROM membership a JOIN workspace o USING (org_id)
                WHERE a.person_id = s.person_id AND ${mayGoOn}) AS workspaces
         FROM session s JOIN workspace w USING (org_id)
                        JOIN membership m ON m.org_id = s.org_id AND m.member_id = s.member_id
                        JOIN person p ON p.member_id = s.person_id
        WHERE s.id = $1 AND ${live} AND m.status = 'active'`,
      [sessionId],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const { member_id: id, name, role, groups, expires_at, now, ...rest } = row;
    return {
      id: sessionId,
      ...rest,
      member: { id, name, role, groups },
      expires_at: expires_at.toISOString(),
      now: now.toISOString(),
    };
  }

  /** Deletes sessions that ended long ago; the log says of them what must be kept. */
  async forget(): Promise<void> {
    await this.pool.query(`DELETE FROM session WHERE ends_at < clock_timestamp() - interval '30 days'`);
  }
}

/** The sessions of a person that nobody has ended. */
export const liveSessionsOf = (tx: Tx, personId: string): Promise<LiveSession[]> =>
  notEnded(tx, 's.person_id = $1', [personId]);

/** Also those that have expired; in one order, so that transactions that end the same ones do not block each other. */
async function notEnded(tx: Tx, condition: string, values: readonly string[]): Promise<LiveSession[]> {
  const { rows } = await tx.query<LiveSession>(
    `SELECT s.id, s.org_id AS "orgId", s.member_id AS "memberId" FROM session s
      WHERE ${condition} AND s.ended_at IS NULL ORDER BY s.id`,
    [...values],
  );
  return rows;
}

export async function setSessionsEnded(tx: Tx, sessionIds: readonly string[]): Promise<void> {
  await tx.query('UPDATE session SET ended_at = clock_timestamp() WHERE id = ANY ($1) AND ended_at IS NULL', [
    sessionIds,
  ]);
}

/** Whether another person knows the password that a session `s` of a person `p` began with. */
export const passwordChangeNeeded = `(s.method = 'password' AND cardinality(p.password_known_to) > 0)`;

/** Notes the use of sessions, which moves their end, up to the end of their life. */
export async function extendSessions(
  db: Pick<pg.Pool, 'query'>,
  sessionIds: readonly string[],
  idleMs: number,
): Promise<void> {
  await db.query(
    `UPDATE session SET last_used_at = clock_timestamp(),
            expires_at = least(clock_timestamp() + $2 * interval '1 millisecond', ends_at)
      WHERE id = ANY ($1) AND ended_at IS NULL AND expires_at > clock_timestamp()`,
    [sessionIds, idleMs],
  );
}
