import { hash } from 'node:crypto';
import { type OperatorRole, Refused, type ServiceScope, Unavailable } from '@agentlattice/contracts';
import type { Logger } from '@agentlattice/observability';
import { Batcher, RevisionWatch } from '@agentlattice/service';
import type pg from 'pg';
import { carriesInstanceRights } from '../domain/key-maker.js';
import { lesserRole, type Operator, type Principal, sessionOf } from '../domain/principal.js';
import type { SessionLife } from '../domain/session.js';
import { actingUnderOf, joinLineage, lineageColumns, type LineageRow, standingIn } from './agent-lineage.js';
import { extendSessions, passwordChangeNeeded } from './session-store.js';

/** Nothing older is used: a revoked key must be worth nothing after a second (decisions §7.3). */
const staleMs = 1_000;
const flushUseMs = 10_000;
const maxUnknown = 10_000;
const maxSeen = 20_000;
/** The most reads of the same keys while principals change during each of them. */
const maxReads = 3;
/**
 * Look-ups share a query, and each kind uses at most two of the pool's ten connections, so the poll of the revision always
 * finds one. Two, so that one connection that does not answer does not delay all look-ups.
 */
const sharing = { maxItems: 64, atOnce: 2, oldestMs: 1_000 };
const maxNewWaiting = 1_024;
/** The name of a key in memory: its SHA-256 in base64. */
export const hashOfKey = (key: string): string => hash('sha256', key, 'base64');
/** The name of a session in memory. It differs from that of a key, so that neither is accepted in place of the other. */
export const hashOfSession = (token: string): string => `${sessionPrefix}${hashOfKey(token)}`;
const sessionPrefix = 'session ';
const isSessionName = (name: string): boolean => name.startsWith(sessionPrefix);

/** Used where the caller sets no other life. */
export const defaultSessionLife: SessionLife = { idleMs: 8 * 3_600_000, mostMs: 24 * 3_600_000 };

interface SessionRow {
  id: string;
  hash: Buffer;
  org_id: string;
  member_id: string;
  person_id: string;
  expires_at: Date;
  name: string;
  role: OperatorRole;
  instance_admin: boolean;
  home_org_id: string | null;
  proven: boolean;
  /** Members of this workspace; those of others are not named here. */
  password_known_to: string[];
  password_change_needed: boolean;
}

interface KeyRow extends LineageRow {
  id: string;
  hash: Buffer;
  org_id: string;
  name: string;
  kind: 'operator' | 'service' | 'agent';
  role: OperatorRole | null;
  scopes: ServiceScope[];
  member_id: string | null;
  made_by: string | null;
  shown_to: string[];
  own: boolean;
  expires_at: Date | null;
  agent_id: string | null;
  agent_name: string | null;
  owner_member_id: string | null;
  registrants: string[] | null;
  suspended: boolean | null;
  resumed_at: Date | null;
  person_id: string | null;
  member_role: OperatorRole | null;
  instance_admin: boolean | null;
  home_org_id: string | null;
}

/**
 * The principals of keys and sessions. They are looked up by their SHA-256 and kept in memory until principals change anywhere;
 * none is accepted when the revision could not be read for a second.
 */
export class PrincipalDirectory {
  private readonly known = new Map<string, Principal>();
  /** Hashes that no valid key had when this generation read them. */
  private readonly unknown = new Set<string>();
  /** Keys that were valid when last read, the oldest first; unlike `known` they survive a change. */
  private readonly seen = new Set<string>();
  /**
   * After a change anywhere every key is read again. Keys that were valid before have a queue of their own, so that random
   * keys delay only other keys that were never seen.
   */
  private readonly seenLookUps = new Batcher((names: readonly string[]) => this.load(names), sharing);
  private readonly newLookUps = new Batcher((names: readonly string[]) => this.load(names), {
    ...sharing,
    maxWaiting: maxNewWaiting,
  });
  private readonly used = new Set<string>();
  private readonly usedSessions = new Set<string>();
  private generation = 0;
  private revision: string | undefined;
  private readonly watch: RevisionWatch;
  private useTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: pg.Pool,
    private readonly logger: Logger,
    private readonly sessionLife = defaultSessionLife,
  ) {
    this.watch = new RevisionWatch({
      of: 'keys',
      pool,
      channel: 'gateway_revision',
      onReading: (revision) => {
        if (revision !== this.revision) this.forget();
        this.revision = revision;
      },
      logger,
      staleAfterMs: staleMs,
    });
  }

  async start(): Promise<void> {
    await this.watch.start();
    this.useTimer = setInterval(() => void this.noteUse(), flushUseMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.useTimer);
    await this.watch.stop();
    await this.noteUse();
  }

  /** Changes whenever keys, agents or members changed. */
  get generationSeen(): number {
    return this.generation;
  }

  isFresh(): boolean {
    return this.watch.isFresh();
  }

  /** @returns whether the keys in memory are fresh, after reading the revision if need be */
  becomesFresh(): Promise<boolean> {
    return this.watch.becomesFresh();
  }

  /** Epoch milliseconds by the database's clock, as far as known. */
  now(): number {
    return this.watch.now();
  }

  /**
   * @returns undefined for a key that is unknown, revoked or expired
   * @throws Refused STALE when the revision could not be read for a second and cannot be read now
   */
  async findByHash(name: string): Promise<Principal | undefined> {
    this.watch.used();
    if (!this.isFresh() && !(await this.becomesFresh()))
      throw new Refused(
        'STALE',
        'keys cannot be checked at the moment, because the database does not answer',
      );
    let principal = this.known.get(name) ?? (await this.lookUp(name));
    // Another gateway may have moved the end of a session.
    if (principal !== null && sessionOf(principal) !== undefined && this.isExpired(principal)) {
      this.known.delete(name);
      principal = await this.lookUp(name);
    }
    if (principal === null || this.isExpired(principal)) return undefined;
    if (principal.keyId !== null) this.used.add(principal.keyId);
    return principal;
  }

  /** A request was made in the session. Streams that stay open are no use of it. */
  noteSessionUse(principal: Principal): void {
    const session = sessionOf(principal);
    if (session !== undefined) this.usedSessions.add(session.id);
  }

  private isExpired({ expiresAt }: Principal): boolean {
    return expiresAt !== null && this.now() >= expiresAt;
  }

  /**
   * To be called after a change made here: nothing that was read before it is used any more, also not by reads that are under
   * way. (A reading of the revision that is under way may have been answered before the change.)
   */
  refresh(): Promise<void> {
    this.forget();
    return this.watch.read();
  }

  private async lookUp(name: string): Promise<Principal | null> {
    if (this.unknown.has(name)) return null;
    return await (this.seen.has(name) ? this.seenLookUps : this.newLookUps).do(name);
  }

  /** Runs after the calls that it serves, so what it reads is new enough for them, though perhaps not for later calls. */
  private async load(names: readonly string[]): Promise<(Principal | null)[]> {
    const found = new Map<string, Principal | null>();
    for (let reads = 1; ; reads += 1) {
      const { generation } = this;
      const askedAt = performance.now();
      for (const name of names) {
        const principal = this.known.get(name) ?? (this.unknown.has(name) ? null : undefined);
        if (principal === undefined) found.delete(name);
        else found.set(name, principal);
      }
      const missing = [...new Set(names)].filter((name) => !found.has(name));
      if (missing.length > 0) {
        const read = await this.read(missing);
        for (const name of missing) found.set(name, read.get(name) ?? null);
      }
      const unchanged = generation === this.generation;
      // A read from before a change must not be kept.
      if (unchanged) for (const name of missing) this.keep(name, found.get(name) ?? null);
      else if (reads < maxReads) continue;
      // Under constant change the read is used once, unless it is older than keys may be.
      if (performance.now() - askedAt > staleMs && !(unchanged && this.isFresh()))
        throw new Unavailable('reading the keys took too long');
      return names.map((name) => found.get(name) ?? null);
    }
  }

  private keep(name: string, principal: Principal | null): void {
    if (principal === null) {
      if (this.unknown.size >= maxUnknown) this.unknown.clear();
      this.unknown.add(name);
    } else this.known.set(name, principal);
  }

  private async read(names: readonly string[]): Promise<Map<string, Principal>> {
    const [sessions, keys] = [names.filter(isSessionName), names.filter((name) => !isSessionName(name))];
    const found = new Map([
      ...(keys.length === 0 ? [] : await this.readKeys(keys)),
      ...(sessions.length === 0 ? [] : await this.readSessions(sessions)),
    ]);
    for (const name of names) this.noteSeen(name, found.has(name));
    return found;
  }

  private async readKeys(names: readonly string[]): Promise<Map<string, Principal>> {
    const { rows } = await this.pool.query<KeyRow>(
      `SELECT k.id, k.hash, k.org_id, k.name, k.kind, k.role, k.scopes, k.member_id, k.made_by, k.own, k.shown_to,
              k.expires_at,
              a.id AS agent_id, a.name AS agent_name, a.owner_member_id, a.registrants, a.suspended, a.resumed_at,
              ${lineageColumns},
              m.person_id, m.role AS member_role, p.instance_admin, p.home_org_id
       FROM api_key k
       LEFT JOIN agent a ON a.id = k.agent_id AND a.org_id = k.org_id
       ${joinLineage}
       LEFT JOIN membership m ON m.org_id = k.org_id AND m.member_id = k.member_id AND m.status = 'active'
       LEFT JOIN person p ON p.member_id = m.person_id
       WHERE k.hash = ANY($1::bytea[]) AND k.revoked_at IS NULL`,
      [names.map((name) => Buffer.from(name, 'base64'))],
    );
    const found = new Map<string, Principal>();
    for (const row of rows) {
      const principal = principalOf(row);
      if (principal !== undefined) found.set(row.hash.toString('base64'), principal);
    }
    return found;
  }

  private async readSessions(names: readonly string[]): Promise<Map<string, Principal>> {
    const { rows } = await this.pool.query<SessionRow>(
      `SELECT s.id, s.hash, s.org_id, s.member_id, s.person_id, s.expires_at, m.name, m.role, p.instance_admin,
              p.home_org_id, p.proven, ${passwordChangeNeeded} AS password_change_needed,
              ARRAY(SELECT o.member_id FROM membership o
                     WHERE o.org_id = s.org_id AND o.member_id = ANY (p.password_known_to)) AS password_known_to
         FROM session s JOIN membership m ON m.org_id = s.org_id AND m.member_id = s.member_id AND m.status = 'active'
                        JOIN person p ON p.member_id = s.person_id
        WHERE s.hash = ANY($1::bytea[]) AND s.ended_at IS NULL`,
      [names.map((name) => Buffer.from(name.slice(sessionPrefix.length), 'base64'))],
    );
    return new Map(rows.map((row) => [`${sessionPrefix}${row.hash.toString('base64')}`, operatorOf(row)]));
  }

  private noteSeen(name: string, valid: boolean): void {
    this.seen.delete(name);
    if (!valid) return;
    const [oldest] = this.seen;
    if (this.seen.size >= maxSeen && oldest !== undefined) this.seen.delete(oldest);
    this.seen.add(name);
  }

  private forget(): void {
    this.generation += 1;
    this.known.clear();
    this.unknown.clear();
  }

  private async noteUseOfSessions(): Promise<void> {
    if (this.usedSessions.size === 0) return;
    const ids = [...this.usedSessions];
    this.usedSessions.clear();
    try {
      await extendSessions(this.pool, ids, this.sessionLife.idleMs);
    } catch (error) {
      for (const id of ids) this.usedSessions.add(id);
      this.logger.warn({ err: error }, 'the last use of sessions could not be written');
    }
  }

  private async noteUse(): Promise<void> {
    await this.noteUseOfSessions();
    if (this.used.size === 0) return;
    const ids = [...this.used];
    this.used.clear();
    try {
      await this.pool.query(
        `INSERT INTO key_use (key_id, last_used_at) SELECT unnest($1::text[]), clock_timestamp()
         ON CONFLICT (key_id) DO UPDATE SET last_used_at = excluded.last_used_at`,
        [ids],
      );
    } catch (error) {
      this.logger.warn({ err: error }, 'the last use of keys could not be written');
    }
  }
}

/** The principal of a session: only the person holds it, unless another person knows the password. */
function operatorOf(row: SessionRow): Operator {
  const { id, org_id: orgId, member_id: memberId, person_id: personId, name, role } = row;
  const others = row.password_change_needed ? row.password_known_to : [];
  const own = row.proven && !row.password_change_needed;
  const person = { instanceAdmin: row.instance_admin, homeOrgId: row.home_org_id };
  return {
    ...{ kind: 'operator', keyId: null, orgId, memberId, personId, name, role },
    session: { id, passwordChangeNeeded: row.password_change_needed },
    expiresAt: row.expires_at.getTime(),
    ...{ madeBy: memberId, own, shownTo: [memberId, ...others] },
    instanceAdmin: carriesInstanceRights({ own, orgId, role, person }),
  };
}

/** Undefined for a key whose agent or membership is gone, or an agent that it acts for. */
function principalOf(row: KeyRow): Principal | undefined {
  const common = {
    orgId: row.org_id,
    name: row.name,
    expiresAt: row.expires_at?.getTime() ?? null,
    madeBy: row.made_by,
    shownTo: row.shown_to,
    own: row.own,
  };
  switch (row.kind) {
    case 'agent': {
      if (row.agent_id === null || row.agent_name === null || row.suspended === null) return undefined;
      const { agent_id: id, agent_name: name, owner_member_id } = row;
      const delegation = actingUnderOf(row);
      if (delegation === undefined) return undefined;
      const { suspended, resumedAt } = standingIn({ ...row, suspended: row.suspended }, row);
      return {
        ...common,
        keyId: row.id,
        // The members who registered the agent can use it with any of its keys.
        shownTo: [...new Set([...row.shown_to, ...(row.registrants ?? [])])],
        name,
        kind: 'agent',
        agent: { id, name, suspended, owner_member_id, delegation },
        resumedAt,
      };
    }
    case 'service':
      return { ...common, keyId: row.id, kind: 'service', scopes: row.scopes };
    case 'operator': {
      const { member_id: memberId, person_id: personId, member_role, instance_admin } = row;
      if (memberId === null || personId === null || row.role === null || member_role === null)
        return undefined;
      const role = lesserRole(row.role, member_role);
      const person = { instanceAdmin: instance_admin === true, homeOrgId: row.home_org_id };
      const instanceAdmin = carriesInstanceRights({ ...common, role, person });
      return { ...common, keyId: row.id, kind: 'operator', memberId, personId, role, instanceAdmin };
    }
  }
}
