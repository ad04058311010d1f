import { readFile } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { Browser } from './kit/browser.js';
import { readLog } from './kit/log.js';

const password = 'a long password';
const isProblem = (answer: Answer, status: number, error: string) =>
  expect(answer).toMatchObject({ status, body: { error } });

describe('sign-in and sessions', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  let root: { email: string; password: string };

  beforeAll(async () => {
    stack = await startStack();
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
    root = stack.credentials.admin;
  });
  afterAll(() => stack.stop());

  const signedIn = (credentials = root) => Browser.on(stack).signedIn(credentials);
  const typesInLog = async () => (await readLog(admin)).map(({ type }) => type);

  /** A member whose password the administrator set. */
  async function addMember(email: string, role = 'member'): Promise<{ email: string; password: string }> {
    const made = await admin.post('/api/v1/members', { email, name: email, role, password });
    if (made.status !== 201) throw new Error(made.text);
    return { email, password };
  }

  it('the administrator of credentials.json signs in; the cookie is for this host and for no script', async () => {
    const browser = Browser.on(stack);
    expect((await browser.get('/api/v1/sign-in')).body).toEqual({ password: true, oidc: null });
    const { status, headers, body, text } = await browser.signIn({
      ...root,
      email: root.email.toUpperCase(),
    });
    expect(status).toBe(200);
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-al_session=al_ses_[\w-]{43}; Max-Age=86(400|39\d); Path=\/; Secure; HttpOnly; SameSite=Lax$/,
      ),
    ]);
    expect(text).not.toContain(browser.token);
    expect(body).toMatchObject({
      id: expect.stringMatching(/^ses_/) as string,
      org_id: stack.credentials.org_id,
      email: root.email,
      member: { name: 'Administrator', role: 'admin', groups: [] },
      workspaces: [{ org_id: stack.credentials.org_id, role: 'admin' }],
      password_change_needed: false,
    });
    const hours = (Date.parse(String(body['expires_at'])) - Date.parse(String(body['now']))) / 3_600_000;
    expect(hours).toBeCloseTo(8, 1);
    expect((await browser.get('/api/v1/session')).body).toMatchObject({ ...body, now: expect.anything() });
    expect((await browser.get('/api/v1/whoami')).body).toMatchObject({ kind: 'operator', role: 'admin' });
    expect((await Browser.on(stack).get('/api/v1/session')).status).toBe(401);
  });

  it('a person decides in a session, and only with its token from its own page', async () => {
    const { asksFor, requested } = approvalsOf(admin, agent);
    await asksFor('session.act');
    const path = `/api/v1/approvals/${await requested('session.act')}/approve`;
    const [browser, another] = [await signedIn(), await signedIn()];
    const attempt = (headers: Record<string, string>) => browser.call('POST', path, { body: {}, headers });
    const own = { origin: stack.baseUrl };
    isProblem(await attempt({ 'x-csrf-token': '' }), 403, 'CSRF');
    isProblem(await attempt({ 'x-csrf-token': another.csrf ?? '' }), 403, 'CSRF');
    isProblem(await attempt({ origin: 'https://evil.example' }), 403, 'CSRF');
    isProblem(await attempt({ origin: 'null' }), 403, 'CSRF');
    isProblem(await attempt({ ...own, 'sec-fetch-site': 'cross-site' }), 403, 'CSRF');
    isProblem(await attempt({ ...own, 'sec-fetch-site': 'same-site' }), 403, 'CSRF');
    const read = await browser.call('GET', '/api/v1/keys', { headers: { 'sec-fetch-site': 'cross-site' } });
    isProblem(read, 403, 'CSRF');
    const approved = await attempt(own);
    expect(approved).toMatchObject({ status: 200, body: { status: 'approved' } });
    expect(approved.body['votes']).toMatchObject([{ key: null }]);
    expect(approved.body['history']).toContainEqual(
      expect.objectContaining({ operator: expect.objectContaining({ via: 'dashboard' }) as unknown }),
    );
    const entry = await eventually(async () =>
      (await readLog(admin)).find(({ type, operator }) => type === 'approval.approved' && operator !== null),
    );
    expect(entry.operator).toMatchObject({ via: 'dashboard' });
  });

  it('neither a key works as a cookie nor a session as a key; a key takes precedence', async () => {
    const browser = await signedIn();
    expect((await admin.as(browser.token ?? '').get('/api/v1/session')).status).toBe(401);
    const asCookie = { cookie: `__Host-al_session=${stack.credentials.admin.api_key}` };
    expect((await admin.call('GET', '/api/v1/whoami', { key: null, headers: asCookie })).status).toBe(401);
    const twice = { cookie: `${browser.cookie}; ${browser.cookie}` };
    expect((await admin.call('GET', '/api/v1/whoami', { key: null, headers: twice })).status).toBe(401);
    const { cookie } = browser;
    const both = await agent.call('GET', '/api/v1/whoami', { headers: { cookie } });
    expect(both.body['kind']).toBe('agent');
    const none = await agent.call('GET', '/api/v1/whoami', {
      key: null,
      headers: { cookie, authorization: 'x' },
    });
    expect(none.status).toBe(401);
    isProblem(await admin.get('/api/v1/session'), 404, 'NOT_FOUND');
  });

  it('a page of another site signs nobody in', async () => {
    const browser = Browser.on(stack);
    const body = { email: root.email, password: root.password };
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }])
      isProblem(await browser.call('POST', '/api/v1/sign-in', { body, headers }), 403, 'CSRF');
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const sent = await browser.call('POST', '/api/v1/sign-in', { raw: 'email=a', headers: form });
    isProblem(sent, 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('a body that anybody may send is short, and says so beforehand', async () => {
    const raw = JSON.stringify({ email: root.email, password: 'x'.repeat(9_000) });
    const sent = await admin.call('POST', '/api/v1/sign-in', { key: null, raw });
    isProblem(sent, 413, 'BODY_TOO_LARGE');
    const chunked = await fetch(`${stack.baseUrl}/api/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob(['{}']).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  it('a session ends with the sign-out, also its stream of live events', async () => {
    const browser = await signedIn();
    const [stream, another] = [await browser.listen(), await signedIn()];
    expect(stream.status).toBe(200);
    await eventually(() => stream.heartbeats.length > 0);
    const { cookie } = browser;
    const out = await browser.call('DELETE', '/api/v1/session');
    expect(out.headers.getSetCookie()[0]).toContain('__Host-al_session=; Max-Age=0');
    await eventually(() => stream.ended);
    const after = await admin.call('GET', '/api/v1/session', { key: null, headers: { cookie } });
    isProblem(after, 401, 'UNAUTHENTICATED');
    expect((await another.get('/api/v1/session')).status).toBe(200);
    await eventually(async () => (await typesInLog()).includes('session.signed_out'));
  });

  it('sessions are listed, and each can be ended by its person alone', async () => {
    const mine = await signedIn(await addMember('lister@example.com', 'viewer'));
    const second = await Browser.on(stack).signedIn({ email: 'lister@example.com', password });
    const listed = (await mine.get('/api/v1/sessions')).body['sessions'] as Record<string, unknown>[];
    expect(listed).toHaveLength(2);
    expect(listed.map(({ current }) => current).sort()).toEqual([false, true]);
    expect(listed[0]).toMatchObject({ address: '127.0.0.1', user_agent: expect.any(String) as string });
    const theirs = String(listed.find(({ current }) => current === false)?.['id']);
    isProblem(await (await signedIn()).call('DELETE', `/api/v1/sessions/${theirs}`), 404, 'NOT_FOUND');
    const stream = await second.listen();
    expect((await mine.call('DELETE', `/api/v1/sessions/${theirs}`)).body).toEqual({ id: theirs });
    await eventually(() => stream.ended);
    expect((await second.get('/api/v1/session')).status).toBe(401);
    isProblem(await mine.call('DELETE', `/api/v1/sessions/${theirs}`), 404, 'NOT_FOUND');
  });

  it('a change of the password ends the other sessions; before it, nobody decides with a password that another person set', async () => {
    const credentials = await addMember('changer@example.com');
    const browser = await signedIn(credentials);
    const other = await signedIn(credentials);
    expect((await browser.get('/api/v1/session')).body['password_change_needed']).toBe(true);
    const { asksFor, requested } = approvalsOf(admin, agent);
    await asksFor('own.password', { approvals_required: 2 });
    const path = `/api/v1/approvals/${await requested('own.password')}`;
    isProblem(await browser.post(`${path}/approve`, {}), 403, 'OWN_PASSWORD_NEEDED');
    isProblem(await browser.post(`${path}/deny`, {}), 403, 'OWN_PASSWORD_NEEDED');

    const change = (current_password: string, new_password = 'another long password') =>
      browser.post('/api/v1/session/password', { current_password, new_password });
    // The administrator would know it still.
    isProblem(await change(password, password), 400, 'VALIDATION_FAILED');
    isProblem(await change('a wrong password'), 401, 'INVALID_CREDENTIALS');
    const before = browser.token;
    const changed = await change(password);
    expect(changed).toMatchObject({ status: 200, body: { password_change_needed: false } });
    expect(browser.token).not.toBe(before);
    expect((await other.get('/api/v1/session')).status).toBe(401);
    const cookie = `__Host-al_session=${before ?? ''}`;
    expect((await admin.call('GET', '/api/v1/session', { key: null, headers: { cookie } })).status).toBe(401);
    isProblem(await Browser.on(stack).signIn(credentials), 401, 'INVALID_CREDENTIALS');
    expect((await browser.post(`${path}/approve`, {})).body).toMatchObject({
      approvals: { have: 1, need: 2 },
    });
    expect((await (await signedIn()).post(`${path}/approve`, {})).body['status']).toBe('approved');
    await eventually(async () => (await typesInLog()).includes('member.password_changed'));
  });

  it('a person of several workspaces switches between them, with a new token', async () => {
    const made = await admin.post('/api/v1/workspaces', {
      name: 'second',
      admin: { email: root.email, name: 'Root there', password },
    });
    expect(made.body['admin']).toMatchObject({ password_set: false });
    const browser = await signedIn();
    const before = browser.token;
    const { body } = await browser.get('/api/v1/session');
    expect(body['workspaces']).toHaveLength(2);
    const org_id = String(made.body['org_id']);
    const switched = await browser.post('/api/v1/session/workspace', { org_id });
    expect(switched).toMatchObject({
      status: 200,
      body: { org_id, workspace_name: 'second', member: { name: 'Root there' } },
    });
    expect(browser.token).not.toBe(before);
    expect((await browser.get('/api/v1/whoami')).body['org_id']).toBe(org_id);
    const cookie = `__Host-al_session=${before ?? ''}`;
    expect((await admin.call('GET', '/api/v1/session', { key: null, headers: { cookie } })).status).toBe(401);
    const unknown = await browser.post('/api/v1/session/workspace', {
      org_id: 'org_01jd7e5sqcfnmrq9yh4qvxw2k3',
    });
    isProblem(unknown, 404, 'NOT_FOUND');
    // The next sign-in begins where the last session was.
    expect((await (await signedIn()).get('/api/v1/session')).body['org_id']).toBe(org_id);
    await browser.post('/api/v1/session/workspace', { org_id: stack.credentials.org_id });
  });

  it('tries are limited for each account, whether it exists or not, also after a restart', async () => {
    const known = await addMember('tried@example.com', 'viewer');
    const tryTo = (email: string, secret = 'a wrong password') =>
      Browser.on(stack).signIn({ email, password: secret });
    const bodies: unknown[] = [];
    for (const email of [known.email, 'unknown@example.com'])
      for (let i = 0; i < 5; i++) {
        const { status, body } = await tryTo(email);
        bodies.push({ status, ...body, request_id: '' });
      }
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(bodies[0]).toMatchObject({ status: 401, detail: 'E-mail or password is not correct.' });
    stack.kill('gateway');
    await stack.ready('gateway');
    for (const email of [known.email.toUpperCase(), 'unknown@example.com']) {
      const refused = await tryTo(email, password);
      isProblem(refused, 429, 'TOO_MANY_ATTEMPTS');
      expect(refused.body['detail']).toMatch(/^Too many tries\. Try again in \d+ (s|min)\.$/);
      expect(Number(refused.headers.get('retry-after'))).toBe(refused.body['retry_after_seconds']);
    }
    // Other accounts are not affected.
    await signedIn();
    const failed = await eventually(async () => {
      const { body } = await admin.get('/api/v1/audit?type=session.sign_in_failed');
      const events = body['events'] as unknown[];
      return events.length > 0 ? events : undefined;
    });
    expect(JSON.stringify(failed)).not.toContain('unknown@example.com');
  });

  it('every answer has the headers that protect pages', async () => {
    const answers = [
      await admin.get('/api/v1/agents'),
      await admin.get('/nothing'),
      await admin.get('/%E0%A4%A'),
      await admin.call('GET', '/api/v1/events'),
      await admin.call('POST', '/api/v1/sign-in', { raw: '{', key: null }),
    ];
    for (const { headers } of answers) {
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('permissions-policy')).toContain('camera=()');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('strict-transport-security')).toBeNull();
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('no password and no token is in the log files, the audit log or a live event', async () => {
    const browser = await signedIn();
    const secrets = [
      root.password,
      password,
      'another long password',
      browser.token ?? '',
      browser.csrf ?? '',
    ];
    const files = globSync(join(stack.dataDir, '**/*.log'));
    expect(files.length).toBeGreaterThan(0);
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    const entries = JSON.stringify(await readLog(admin));
    for (const text of [...texts, ...stack.printed, entries])
      for (const secret of secrets) expect(text).not.toContain(secret);
  });
});
