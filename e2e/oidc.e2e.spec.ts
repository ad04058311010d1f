import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import { adminOf, type Api } from './kit/api.js';
import { readLog } from './kit/log.js';
import { type Claims, OpenIdProvider } from './kit/openid-provider.js';

const client = { client_id: 'approvals', client_secret: 'a secret of the client of this test' };
const mapping = [
  { group: 'staff', role: 'viewer' },
  { group: 'deciders', role: 'member', groups: ['sre'] },
  { group: 'bosses', role: 'admin' },
];

/** A browser that follows redirects one by one and keeps the cookies of each origin. */
class Traveller {
  readonly visited: URL[] = [];
  private readonly jars = new Map<string, Map<string, string>>();

  constructor(private readonly home: string) {}

  async visit(address: string): Promise<Response> {
    const url = new URL(address, this.home);
    this.visited.push(url);
    const jar = this.jars.get(url.origin) ?? new Map<string, string>();
    this.jars.set(url.origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(set)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }

  /** Goes from redirect to redirect until it is back at the gateway's pages, or `until` stops it. */
  async follow(address: string, until: (next: URL) => boolean = () => false): Promise<URL> {
    let next = new URL(address, this.home);
    for (let steps = 0; steps < 12; steps++) {
      if (until(next)) return next;
      const response = await this.visit(next.href);
      const location = response.headers.get('location');
      if (location === null) throw new Error(`${next.href} answered ${String(response.status)}`);
      next = new URL(location, next);
      const isBack = next.origin === this.home && !next.pathname.startsWith('/auth/');
      if (isBack) return next;
    }
    throw new Error('too many redirects');
  }

  forget(origin: string): void {
    this.jars.delete(origin);
  }

  async get(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await this.visit(path);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
}

describe('sign-in with OIDC', () => {
  let provider: OpenIdProvider;
  let stack: Stack;
  let admin: Api;

  beforeAll(async () => {
    provider = await OpenIdProvider.listen();
    stack = await startStack({
      env: {
        OIDC_ISSUER: provider.issuer,
        OIDC_CLIENT_ID: client.client_id,
        OIDC_CLIENT_SECRET: client.client_secret,
        OIDC_NAME: 'Example login',
        OIDC_ROLE_MAPPING: JSON.stringify(mapping),
      },
    });
    provider.serve({ ...client, redirect_uri: `${stack.baseUrl}/auth/oidc/callback` });
    await stack.startServices();
    admin = adminOf(stack);
  });
  afterAll(async () => {
    await stack.stop();
    await provider.stop();
  });
  beforeEach(() => {
    provider.refuses = false;
  });

  const start = '/auth/oidc/start';
  async function signIn(claims: Claims, path = start): Promise<{ browser: Traveller; landed: URL }> {
    provider.next = claims;
    const browser = new Traveller(stack.baseUrl);
    return { browser, landed: await browser.follow(path) };
  }
  const sessionOf = async (browser: Traveller) => (await browser.get('/api/v1/session')).body;
  const membersCount = async () =>
    ((await admin.get('/api/v1/members?limit=200')).body['members'] as unknown[]).length;

  it('is announced, and passwords are off where nothing else is said', async () => {
    const methods = await admin.get('/api/v1/sign-in');
    expect(methods.body).toEqual({
      password: false,
      oidc: { name: 'Example login', start_url: start },
    });
    const { email, password } = stack.credentials.admin;
    const refused = await admin.call('POST', '/api/v1/sign-in', { key: null, body: { email, password } });
    expect(refused).toMatchObject({ status: 403, body: { error: 'FORBIDDEN' } });
  });

  it('makes a member of a person with a mapped group, and leads back to the page that was asked for', async () => {
    const claims = { sub: 'ada', name: 'Ada Novak', groups: ['staff', 'deciders', 'other'] };
    const { browser, landed } = await signIn(
      { ...claims, email: 'ada@example.com', email_verified: true },
      `${start}?return_to=${encodeURIComponent('/approvals/apr_1?tab=votes')}`,
    );
    expect(landed.href).toBe(`${stack.baseUrl}/approvals/apr_1?tab=votes`);
    const asked = browser.visited.find(({ pathname }) => pathname === '/auth')?.searchParams;
    expect(asked?.get('code_challenge_method')).toBe('S256');
    expect(asked?.get('nonce')).toMatch(/^[\w-]{40,}$/);
    const session = await sessionOf(browser);
    expect(session).toMatchObject({
      org_id: stack.credentials.org_id,
      email: 'ada@example.com',
      member: { name: 'Ada Novak', role: 'member', groups: ['sre'] },
      password_change_needed: false,
    });
    await eventually(async () => {
      const log = await readLog(admin);
      return log.some(({ type, operator }) => type === 'session.signed_in' && operator?.via === 'dashboard');
    });
  });

  it('role and groups follow the claims at every sign-in, for the same person', async () => {
    const claims = { sub: 'follows', email: 'follows@example.com', email_verified: true };
    const first = await signIn({ ...claims, groups: ['deciders'] });
    const before = await sessionOf(first.browser);
    const second = await signIn({ ...claims, email: 'renamed@example.com', groups: ['bosses'] });
    const after = await sessionOf(second.browser);
    expect(after['member']).toEqual({ ...(before['member'] as object), role: 'admin', groups: [] });
    // The first session has the new role as well.
    expect((await sessionOf(first.browser))['member']).toMatchObject({ role: 'admin' });
    expect((await first.browser.get('/api/v1/keys')).status).toBe(200);
  });

  it('without a mapped group there is no access, and sessions by the provider end', async () => {
    const count = await membersCount();
    const { browser, landed } = await signIn({ sub: 'outsider', groups: ['others'] });
    expect(landed.href).toBe(`${stack.baseUrl}/sign-in?error=no_access`);
    expect((await browser.get('/api/v1/session')).status).toBe(401);
    expect(await membersCount()).toBe(count);

    const member = await signIn({ sub: 'leaver', groups: ['staff'] });
    expect((await sessionOf(member.browser))['member']).toMatchObject({ role: 'viewer' });
    const left = await signIn({ sub: 'leaver', groups: [] });
    expect(left.landed.search).toBe('?error=no_access');
    expect((await member.browser.get('/api/v1/session')).status).toBe(401);
    await eventually(async () =>
      (await readLog(admin)).some(({ type }) => type === 'session.sign_in_failed'),
    );
  });

  it('an account is taken over by no address that the provider has not verified', async () => {
    const { email } = stack.credentials.admin;
    const root = (await admin.get('/api/v1/whoami')).body['config_id'];
    const thief = await signIn({ sub: 'thief', email, email_verified: false, groups: ['staff'] });
    const stolen = await sessionOf(thief.browser);
    expect(stolen['email']).toMatch(/@oidc\.invalid$/);
    expect((stolen['member'] as { id: string }).id).not.toBe(root);
    // The same address, verified, is the same person. The claims do not lower the instance administrator.
    const own = await signIn({ sub: 'root', email, email_verified: true, groups: ['staff'] });
    expect((await sessionOf(own.browser))['member']).toMatchObject({ id: root, role: 'admin' });
  });

  it('an answer that this browser did not ask for, or that was changed, signs nobody in', async () => {
    provider.next = { sub: 'ada', groups: ['staff'] };
    const atCallback = (next: URL) => next.pathname === '/auth/oidc/callback';
    const stopped = async () => {
      const browser = new Traveller(stack.baseUrl);
      return { browser, callback: await browser.follow(start, atCallback) };
    };
    const end = async (browser: Traveller, callback: URL) => {
      const landed = await browser.follow(callback.href);
      expect((await browser.get('/api/v1/session')).status).toBe(401);
      return landed.search;
    };
    const victim = await stopped();
    // A link with the answer for somebody else's browser.
    expect(await end(new Traveller(stack.baseUrl), victim.callback)).toBe('?error=expired');
    const another = await stopped();
    expect(await end(another.browser, victim.callback)).toBe('?error=expired');
    const forged = await stopped();
    forged.callback.searchParams.set('state', 'forged');
    expect(await end(forged.browser, forged.callback)).toBe('?error=expired');
    // An answer that another provider has given (RFC 9207).
    const mixedUp = await stopped();
    mixedUp.callback.searchParams.set('iss', 'https://evil.example');
    expect(await end(mixedUp.browser, mixedUp.callback)).toBe('?error=provider');
    const otherCode = await stopped();
    otherCode.callback.searchParams.set('code', 'of-somebody-else');
    expect(await end(otherCode.browser, otherCode.callback)).toBe('?error=provider');
    // A code works once.
    expect((await victim.browser.follow(victim.callback.href)).pathname).toBe('/');
    expect(await end(new Traveller(stack.baseUrl), victim.callback)).toBe('?error=expired');
  });

  it('a person who declines at the provider comes back to the sign-in; no other site is ever the goal', async () => {
    provider.refuses = true;
    expect((await signIn({ sub: 'ada' })).landed.search).toBe('?error=denied');
    provider.refuses = false;
    for (const goal of ['https://evil.example/', '//evil.example', '/\\evil.example']) {
      const { landed } = await signIn(
        { sub: 'ada', groups: ['staff'] },
        `${start}?return_to=${encodeURIComponent(goal)}`,
      );
      expect(landed.href).toBe(`${stack.baseUrl}/`);
    }
  });

  it('a person who was invited by the verified address becomes that member', async () => {
    const invited = await admin.post('/api/v1/members', {
      ...{ email: 'guest@example.com', name: 'Guest', role: 'viewer', groups: [] },
    });
    const { browser } = await signIn({
      ...{ sub: 'guest', email: 'guest@example.com', email_verified: true, groups: ['deciders'] },
    });
    expect((await sessionOf(browser))['member']).toMatchObject({
      ...{ id: invited.body['id'], name: 'Guest', role: 'member', groups: ['sre'] },
    });
  });

  it('while the provider is away the page of the sign-in says so, and everything else works', async () => {
    const [secret] = [client.client_secret];
    await provider.stop();
    const browser = new Traveller(stack.baseUrl);
    provider.next = { sub: 'ada', groups: ['staff'] };
    const next = await browser.follow(start, (url) => url.origin === provider.issuer);
    // The metadata is known, so the browser is sent to the provider, which does not answer.
    expect(next.origin).toBe(provider.issuer);
    expect((await admin.get('/api/v1/agents')).status).toBe(200);
    expect(stack.printed.join('\n')).not.toContain(secret);
  });
});
