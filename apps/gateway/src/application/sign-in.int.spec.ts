import { createLogger } from '@agentlattice/observability';
import { eventually, startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import pg from 'pg';
import { migrations } from '../migrations/index.js';
import { hashOfKey, hashOfSession, PrincipalDirectory } from '../outbound/principal-directory.js';
import { PrincipalStore } from '../outbound/principal-store.js';
import { SessionStore } from '../outbound/session-store.js';
import { SignInAttempts } from '../outbound/sign-in-attempts.js';
import { firstCredentialsFor } from '../../test/first-credentials.js';
import { makeSessionUseCases, type SessionCaller } from './change-session.js';
import { makeCreateWorkspace } from './create-workspace.js';
import { ensureFirstWorkspace } from './ensure-first-workspace.js';
import { RefusedAccess } from './refused-access.js';
import type { SignInContext } from './session-ports.js';
import { makeSignIn, type SignInPorts } from './sign-in.js';
import { SignInGate } from './sign-in-gate.js';

const logger = createLogger('test', 'silent');

describe('sessions at two gateways', () => {
  let postgres: TestPostgres;
  let pool: pg.Pool;
  let store: PrincipalStore;
  const first = firstCredentialsFor();
  const { email, password } = first.admin;
  const directories: PrincipalDirectory[] = [];
  const refusals: RefusedAccess[] = [];

  async function gateway(life = { idleMs: 60_000, mostMs: 120_000 }) {
    const directory = new PrincipalDirectory(pool, logger, life);
    directories.push(directory);
    await directory.start();
    const refused = new RefusedAccess(store, logger);
    refusals.push(refused);
    const ports: SignInPorts = {
      ...{ store, life, refused, refresh: () => directory.refresh() },
      ...{ sessions: new SessionStore(pool), attempts: new SignInAttempts(pool), gate: new SignInGate() },
    };
    return { directory, signIn: makeSignIn(ports), sessions: makeSessionUseCases(ports) };
  }
  type Gateway = Awaited<ReturnType<typeof gateway>>;
  let here: Gateway;
  let there: Gateway;

  beforeAll(async () => {
    postgres = await startPostgres({ migrations: { gateway: migrations } });
    pool = testPool({ connectionString: postgres.databaseUrl('gateway'), max: 12 });
    store = new PrincipalStore(pool);
    await ensureFirstWorkspace(store, first);
    [here, there] = [await gateway(), await gateway()];
  });
  afterAll(async () => {
    for (const refused of refusals) await refused.stop();
    for (const directory of directories) await directory.stop();
    await pool.end();
    await postgres.stop();
  });

  let addresses = 0;
  const from = (address = `192.0.2.${String(++addresses)}`): SignInContext => ({
    client: { address, userAgent: null },
    correlationId: 'req_1',
    traceparent: null,
  });
  async function begin(at = here): Promise<{ name: string; caller: SessionCaller }> {
    const { token, id } = await at.signIn({ email, password }, from());
    const name = hashOfSession(token);
    const principal = await at.directory.findByHash(name);
    if (principal?.kind !== 'operator') throw new Error('there is no session');
    const { personId, orgId, memberId } = principal;
    return { name, caller: { sessionId: id, personId, orgId, memberId } };
  }

  it('a session is known at each gateway, and ends at each within a second', async () => {
    const { name, caller } = await begin();
    expect(await there.directory.findByHash(name)).toMatchObject({
      ...{ kind: 'operator', keyId: null, role: 'admin', own: true, shownTo: [caller.memberId] },
      session: { id: caller.sessionId, passwordChangeNeeded: false },
    });
    await here.sessions.signOut(caller, from());
    expect(await here.directory.findByHash(name)).toBeUndefined();
    await eventually(async () => (await there.directory.findByHash(name)) === undefined);
    await expect(here.sessions.signOut(caller, from())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('a session is replaced by one other at most, and by none once it has ended', async () => {
    const { caller } = await begin();
    const founder = {
      ...{ orgId: caller.orgId, personId: caller.personId },
      meta: {
        actor: { kind: 'operator', id: caller.memberId, key_id: null, via: 'dashboard' },
        correlation_id: null,
        traceparent: null,
      },
    } as const;
    const createWorkspace = makeCreateWorkspace({ store, refresh: () => here.directory.refresh() });
    const { orgId } = await createWorkspace(founder, 'second', { email, name: 'Root', password });
    const live = async () =>
      (await pool.query<{ id: string }>('SELECT id FROM session WHERE ended_at IS NULL')).rows.length;
    const before = await live();
    const outcomes = await Promise.allSettled(
      [...Array<Gateway>(4).fill(here), ...Array<Gateway>(4).fill(there)].map((at) =>
        at.sessions.switchWorkspace(caller, orgId, from()),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await live()).toBe(before);

    // An end that is answered is the end, also for the session that began meanwhile; otherwise the answer says that nothing ended.
    for (const end of ['signOut', 'revoke'] as const) {
      const one = await begin();
      const left = await live();
      const [ended, ...switched] = await Promise.allSettled([
        end === 'signOut'
          ? here.sessions.signOut(one.caller, from())
          : here.sessions.revoke(one.caller, one.caller.sessionId, from()),
        there.sessions.switchWorkspace(one.caller, orgId, from()),
        here.sessions.switchWorkspace(one.caller, orgId, from()),
      ]);
      const began = switched.filter(({ status }) => status === 'fulfilled').length;
      expect(began).toBe(ended.status === 'fulfilled' ? 0 : 1);
      expect(await live()).toBe(left - 1 + began);
    }
  }, 30_000);

  it('nobody knows the password of a founder for good who did not choose it', async () => {
    const { caller } = await begin();
    const createWorkspace = makeCreateWorkspace({ store, refresh: () => here.directory.refresh() });
    const actor = { kind: 'operator', id: caller.memberId, key_id: null, via: 'api' } as const;
    const founder = { ...caller, meta: { actor, correlation_id: null, traceparent: null } };
    const given = { email: 'founder@example.com', name: 'Founder', password: 'a long password' };
    await createWorkspace(founder, 'theirs', given);
    const signedIn = async (secret: string) =>
      here.directory.findByHash(
        hashOfSession((await here.signIn({ email: given.email, password: secret }, from())).token),
      );
    const principal = await signedIn(given.password);
    expect(principal).toMatchObject({ own: false, session: { passwordChangeNeeded: true } });
    // No member of another workspace is named.
    expect(JSON.stringify(principal?.shownTo)).not.toContain(caller.memberId);
    if (principal?.kind !== 'operator' || principal.session === undefined) throw new Error('no session');
    await here.sessions.changePassword(
      { ...principal, sessionId: principal.session.id },
      { current: given.password, next: 'another password' },
      from(),
    );
    expect(await signedIn('another password')).toMatchObject({
      ...{ own: true, session: { passwordChangeNeeded: false } },
    });
  }, 30_000);

  it('an account is found by the form of its address by which its tries are counted', async () => {
    await here.signIn({ email: ` ${email.toUpperCase()} `, password }, from());
  });

  it('tokens are kept as hashes only, and are no keys', async () => {
    const { token } = await here.signIn({ email, password }, from());
    const { rows } = await pool.query('SELECT to_jsonb(s) AS row FROM session s');
    const { rows: events } = await pool.query('SELECT data FROM event');
    expect(JSON.stringify([rows, events])).not.toContain(token.slice(12));
    expect(await here.directory.findByHash(hashOfKey(token))).toBeUndefined();
    expect(await here.directory.findByHash(hashOfSession(first.admin.api_key))).toBeUndefined();
  });

  it('an unused session ends; use and extension move its end at every gateway, up to the end of its life', async () => {
    const short = { idleMs: 1_500, mostMs: 3_600_000 };
    const [one, two] = [await gateway(short), await gateway(short)];
    const idle = await begin(one);
    const used = await begin(one);
    // The other gateway knows the first end.
    expect(await two.directory.findByHash(used.name)).toBeDefined();
    const until = performance.now() + 2_500;
    await eventually(async () => {
      await one.sessions.extend(used.caller);
      return performance.now() > until;
    });
    expect(await one.directory.findByHash(used.name)).toBeDefined();
    expect(await two.directory.findByHash(used.name)).toBeDefined();
    expect(await one.directory.findByHash(idle.name)).toBeUndefined();
    const ended = await gateway({ idleMs: 1_500, mostMs: 1_500 });
    const { name, caller } = await begin(ended);
    await eventually(async () => {
      await ended.sessions.extend(caller).catch(() => undefined);
      return (await ended.directory.findByHash(name)) === undefined;
    });
  });

  it('tries at several gateways count together, and tries at the same time count each other', async () => {
    const wrong = (at: Gateway) => at.signIn({ email: 'nobody@example.com', password: 'x' }, from());
    const results = await Promise.allSettled(
      [...Array<Gateway>(6).fill(here), ...Array<Gateway>(6).fill(there)].map(wrong),
    );
    const codes = results.map((result) =>
      result.status === 'rejected' ? (result.reason as { code: string }).code : 'signed in',
    );
    const checked = codes.filter((code) => code === 'INVALID_CREDENTIALS');
    expect(checked.length).toBeGreaterThan(0);
    expect(checked.length).toBeLessThanOrEqual(5);
    // On a slow machine some wait too long for their turn.
    const others = codes.filter((code) => code !== 'INVALID_CREDENTIALS');
    expect(others.filter((code) => !['TOO_MANY_ATTEMPTS', 'UNAVAILABLE'].includes(code))).toEqual([]);
  }, 30_000);

  it('one network address may fail thirty times for all accounts together', async () => {
    const codes: string[] = [];
    for (let i = 0; i < 31; i++) {
      const attempt = here.signIn(
        { email: `p${String(i)}@example.com`, password: 'x' },
        from('198.51.100.7'),
      );
      codes.push(
        await attempt.then(
          () => '',
          (error: { code: string }) => error.code,
        ),
      );
    }
    expect(codes.slice(0, 30)).toEqual(Array(30).fill('INVALID_CREDENTIALS'));
    expect(codes[30]).toBe('TOO_MANY_ATTEMPTS');
  }, 60_000);

  it('a sign-in that succeeds forgets the failures of its account', async () => {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 4; i++)
        await expect(here.signIn({ email, password: 'x' }, from())).rejects.toMatchObject({
          code: 'INVALID_CREDENTIALS',
        });
      await begin();
    }
  }, 30_000);

  it('a flood of failures makes few entries, which name the member', async () => {
    const { rows } = await pool.query<{ data: { reason: string; count: number } }>(
      `SELECT data FROM event WHERE type = 'session.sign_in_failed'`,
    );
    // Twelve failures of this account so far, and thirty-six of addresses without one.
    expect(rows).toMatchObject([{ data: { reason: 'password', count: 1 } }]);
  });

  it('a new credentials file ends the sessions of the old password', async () => {
    const { name } = await begin();
    const fresh = firstCredentialsFor();
    await ensureFirstWorkspace(store, {
      ...{ ...first, admin: { ...fresh.admin, email } },
    });
    await eventually(async () => (await there.directory.findByHash(name)) === undefined);
    await here.directory.refresh();
    expect(await here.directory.findByHash(name)).toBeUndefined();
    const { rows } = await pool.query<{ data: unknown }>(
      `SELECT data FROM event WHERE type = 'session.revoked' ORDER BY occurred_at DESC LIMIT 1`,
    );
    expect(rows).toMatchObject([{ data: { reason: 'password_changed' } }]);
  });
});
