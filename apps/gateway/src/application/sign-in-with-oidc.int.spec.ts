import { createLogger } from '@agentlattice/observability';
import { startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import pg from 'pg';
import { firstCredentialsFor } from '../../test/first-credentials.js';
import type { Operator } from '../domain/principal.js';
import { migrations } from '../migrations/index.js';
import { MemberStore } from '../outbound/member-store.js';
import { OidcIdentities } from '../outbound/oidc-identities.js';
import type { OidcPerson } from '../outbound/oidc-provider.js';
import { hashOfSession, PrincipalDirectory } from '../outbound/principal-directory.js';
import { PrincipalStore } from '../outbound/principal-store.js';
import { SessionStore } from '../outbound/session-store.js';
import { SignInAttempts } from '../outbound/sign-in-attempts.js';
import { makeSessionUseCases } from './change-session.js';
import { makeCreateKey } from './create-key.js';
import { makeCreateMember } from './create-member.js';
import { makeCreateWorkspace } from './create-workspace.js';
import { ensureFirstWorkspace } from './ensure-first-workspace.js';
import { originWith } from '../domain/principal.js';
import type { RequestContext } from './principal-ports.js';
import { RefusedAccess } from './refused-access.js';
import type { SignInContext } from './session-ports.js';
import { makeSignIn } from './sign-in.js';
import { SignInGate } from './sign-in-gate.js';
import { makeSignInWithOidc, type OidcSignInPorts } from './sign-in-with-oidc.js';

const logger = createLogger('test', 'silent');

describe('what a sign-in at the provider proves, and what it does not', () => {
  let postgres: TestPostgres;
  let pool: pg.Pool;
  let directory: PrincipalDirectory;
  let ports: OidcSignInPorts;
  let refused: RefusedAccess;
  let otherOrg: string;
  const first = firstCredentialsFor();
  const noTrace = { correlation_id: null, traceparent: null };

  beforeAll(async () => {
    postgres = await startPostgres({ migrations: { gateway: migrations } });
    pool = testPool({ connectionString: postgres.databaseUrl('gateway'), max: 12 });
    const store = new PrincipalStore(pool);
    await ensureFirstWorkspace(store, first);
    directory = new PrincipalDirectory(pool, logger);
    await directory.start();
    refused = new RefusedAccess(store, logger);
    const refresh = () => directory.refresh();
    const root = await signedInAs(first.admin.email, first.admin.password, store);
    const actor = { kind: 'operator', id: root.memberId, key_id: null, via: 'api' } as const;
    const founder = { ...root, meta: { actor, ...noTrace } };
    const { email, password } = first.admin;
    const made = await makeCreateWorkspace({ store, refresh })(founder, 'other', {
      ...{ email, name: 'Root', password },
    });
    otherOrg = made.orgId;
    ports = {
      ...portsOf(store),
      ...{ identities: new OidcIdentities(pool), members: new MemberStore(pool), logger },
      mapping: [
        { group: 'here', orgId: null, role: 'member', groups: [] },
        { group: 'there', orgId: otherOrg, role: 'member', groups: [] },
      ],
    };
  });
  afterAll(async () => {
    await refused.stop();
    await directory.stop();
    await pool.end();
    await postgres.stop();
  });

  const portsOf = (store: PrincipalStore) => ({
    ...{ store, refused, refresh: () => directory.refresh() },
    ...{ sessions: new SessionStore(pool), attempts: new SignInAttempts(pool), gate: new SignInGate() },
    life: { idleMs: 600_000, mostMs: 600_000 },
  });
  let addresses = 0;
  const from = (): SignInContext => ({
    client: { address: `192.0.2.${String(++addresses)}`, userAgent: null },
    correlationId: 'req_1',
    traceparent: null,
  });
  async function operatorOf(token: string): Promise<Operator> {
    const principal = await directory.findByHash(hashOfSession(token));
    if (principal?.kind !== 'operator') throw new Error('there is no session');
    return principal;
  }
  async function signedInAs(email: string, password: string, store = ports.store): Promise<Operator> {
    return operatorOf((await makeSignIn(portsOf(store))({ email, password }, from())).token);
  }
  async function arrives(person: Partial<OidcPerson> & { subject: string }): Promise<Operator> {
    const claims = { issuer: 'https://login.example.com', email: null, name: null, groups: ['here'] };
    const started = await makeSignInWithOidc(ports)({ ...claims, ...person }, from());
    if (started === null) throw new Error('no access');
    return operatorOf(started.token);
  }
  const contextOf = (by: Operator): RequestContext => ({
    ...{ orgId: by.orgId, memberId: by.memberId, instanceAdmin: by.instanceAdmin },
    meta: { actor: { kind: 'operator', id: by.memberId, key_id: by.keyId, via: 'api' }, ...noTrace },
    originOf: (memberId) => originWith(by, memberId),
  });
  const sessionsOf = () => makeSessionUseCases(ports);
  const callerOf = ({ session, personId, orgId, memberId }: Operator) => ({
    ...{ sessionId: session?.id ?? '', personId, orgId, memberId },
  });

  it('an address that the provider gives to another subject brings no account along', async () => {
    const email = 'passed-on@example.com';
    const before = await arrives({ subject: 'first', email });
    const after = await arrives({ subject: 'second', email });
    expect(after.personId).not.toBe(before.personId);
    expect((await sessionsOf().view(after.session?.id ?? '')).email).toMatch(/@oidc\.invalid$/);
    expect((await arrives({ subject: 'first', email })).personId).toBe(before.personId);
    expect((await arrives({ subject: 'second', email })).personId).toBe(after.personId);
    // Also when both arrive for the first time at once; at another provider the address is proof.
    const together = { email: 'at-once@example.com' };
    const people = await Promise.all(['a', 'b', 'c'].map((subject) => arrives({ ...together, subject })));
    expect(new Set(people.map(({ personId }) => personId)).size).toBe(3);
    const moved = await arrives({ subject: 'first', email, issuer: 'https://new.example.com' });
    expect(moved.personId).toBe(before.personId);
  });

  it('what somebody else could use of an account ends when its person arrives: password, sessions, keys made with them', async () => {
    const root = await signedInAs(first.admin.email, first.admin.password);
    const email = 'awaited@example.com';
    const given = {
      email,
      name: 'Awaited',
      role: 'admin',
      groups: [],
      password: 'a known password',
    } as const;
    await makeCreateMember(ports)(contextOf(root), given);
    const occupied = await signedInAs(email, given.password);
    const key = await makeCreateKey(ports)(contextOf(occupied), {
      ...{ name: 'hidden', kind: 'operator', role: 'admin', memberId: occupied.memberId },
    });
    const chosen = 'a password of the occupier';
    const { token } = await sessionsOf().changePassword(
      callerOf(occupied),
      { current: given.password, next: chosen },
      from(),
    );
    expect((await operatorOf(token)).session).toMatchObject({ passwordChangeNeeded: false });

    const person = await arrives({ subject: 'awaited', email });
    expect(person).toMatchObject({ personId: occupied.personId, own: true });
    await expect(operatorOf(token)).rejects.toThrow('there is no session');
    await expect(signedInAs(email, chosen)).rejects.toMatchObject({ code: 'INVALID_CREDENTIALS' });
    const { rows } = await pool.query('SELECT revoked_at FROM api_key WHERE id = $1', [key.id]);
    expect(rows).toEqual([{ revoked_at: expect.any(Date) as Date }]);
    const { rows: entries } = await pool.query<{ type: string }>(
      `SELECT type FROM event WHERE type IN ('key.revoked', 'session.revoked') AND stream_id IN ($1, $2)`,
      [key.id, occupied.session?.id],
    );
    expect(entries.map(({ type }) => type).sort()).toEqual(['key.revoked', 'session.revoked']);
    // The own password of the administrator stays.
    await arrives({ subject: 'root', email: first.admin.email, groups: ['here'] });
    await signedInAs(first.admin.email, first.admin.password);
  });

  it('a workspace that the claims give no longer is closed to sessions by the provider', async () => {
    const both = await arrives({ subject: 'shrinks', groups: ['here', 'there'] });
    const switched = await sessionsOf().switchWorkspace(
      callerOf(both),
      both.orgId === otherOrg ? first.org_id : otherOrg,
      from(),
    );
    await operatorOf(switched.token);
    const one = await arrives({ subject: 'shrinks', groups: ['here'] });
    expect(one.orgId).toBe(first.org_id);
    const shown = await sessionsOf().view(one.session?.id ?? '');
    expect(shown.workspaces.map(({ org_id }) => org_id)).toEqual([first.org_id]);
    await expect(sessionsOf().switchWorkspace(callerOf(one), otherOrg, from())).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const again = await arrives({ subject: 'shrinks', groups: ['there'] });
    expect(again.orgId).toBe(otherOrg);
    await expect(sessionsOf().switchWorkspace(callerOf(again), first.org_id, from())).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
