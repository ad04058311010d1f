import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  eventually,
  type MailServer,
  mailServer,
  type Stack,
  startStack,
  testPool,
} from '@agentlattice/testkit';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { Browser } from './kit/browser.js';
import { readLog } from './kit/log.js';

const password = 'a long password';

describe('invitations', () => {
  let mail: MailServer;
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  const tokens: string[] = [];

  beforeAll(async () => {
    mail = await mailServer();
    stack = await startStack({ env: { SMTP_URL: mail.url } });
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
  });
  afterAll(async () => {
    await stack.stop();
    await mail.stop();
  });

  const tokenIn = (text: string): string => {
    const token = /\/accept-invitation#(al_inv_[\w-]{43})/.exec(text)?.[1] ?? '';
    tokens.push(token);
    return token;
  };
  const linkOf = ({ body }: Answer) =>
    body['invitation'] as { link: string; expires_at: string; mailed: boolean };
  async function invite(name: string, by = admin, role = 'member'): Promise<Answer> {
    const made = await by.post('/api/v1/members', { email: `${name}@example.com`, name, role });
    if (made.status !== 201) throw new Error(made.text);
    return made;
  }
  const mailedTo = (address: string): Promise<string> =>
    eventually(() => mail.mails.find(({ to }) => to.includes(address))?.mail.text);
  const accept = (token: string, body: object = { password }, browser = Browser.on(stack)) =>
    browser.post('/api/v1/invitations/accept', { token, ...body });
  /** An administrator of another workspace. */
  async function stranger(name: string): Promise<Api> {
    const made = await admin.post('/api/v1/workspaces', {
      ...{ name, admin: { email: `${name}@example.com`, name, password } },
    });
    return admin.as((made.body['admin'] as { api_key: string }).api_key);
  }

  it('a person accepts by the copied link once, with a name and a password of their own, and decides at once', async () => {
    const made = await invite('copied');
    expect(made.body).toMatchObject({ status: 'invited', name: 'copied' });
    const { link, expires_at, mailed } = linkOf(made);
    expect(link).toMatch(new RegExp(`^${stack.baseUrl}/accept-invitation#`));
    expect(mailed).toBe(true);
    const days = (Date.parse(expires_at) - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(7, 1);
    expect((await Browser.on(stack).signIn({ email: 'copied@example.com', password })).status).toBe(401);
    const token = tokenIn(link);
    expect(await accept(token, { password: 'short' })).toMatchObject({ status: 400 });
    const browser = Browser.on(stack);
    const accepted = await accept(token, { name: 'Ada Copied', password }, browser);
    expect(accepted).toMatchObject({
      status: 200,
      body: {
        member: { id: made.body['id'], name: 'Ada Copied', role: 'member' },
        password_change_needed: false,
      },
    });
    expect(await accept(token)).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } });
    const { asksFor, requested } = approvalsOf(admin, agent);
    await asksFor('invited.decides');
    const approved = await browser.post(
      `/api/v1/approvals/${await requested('invited.decides')}/approve`,
      {},
    );
    expect(approved.body['status']).toBe('approved');
    await Browser.on(stack).signedIn({ email: 'copied@example.com', password });
    await eventually(async () => {
      const types = (await readLog(admin)).map(({ type }) => type);
      return ['member.invited', 'member.accepted', 'session.signed_in'].every((type) => types.includes(type));
    });
  });

  it('the mail has a link of its own, which proves the address; the copied one does not', async () => {
    const both: { token: string; status: number }[] = [];
    for (const [name, way] of [
      ['reader', 'mail'],
      ['copier', 'copy'],
    ] as const) {
      const made = await invite(name);
      const text = await mailedTo(`${name}@example.com`);
      expect(text).toContain('You are invited to the workspace Default');
      const [inMail, shown] = [tokenIn(text), tokenIn(linkOf(made).link)];
      expect(inMail).not.toBe(shown);
      const browser = Browser.on(stack);
      expect((await accept(way === 'mail' ? inMail : shown, { password }, browser)).status).toBe(200);
      // Either link ends with the other.
      expect((await accept(way === 'mail' ? shown : inMail)).status).toBe(404);
      both.push({ token: way, status: (await browser.get('/api/v1/invitations')).status });
    }
    expect(both).toEqual([
      { token: 'mail', status: 200 },
      { token: 'copy', status: 409 },
    ]);
  });

  it('for a person with an account the link is not enough, and the answer is the same as for others', async () => {
    await stranger('known');
    const [known, unknown] = [await invite('known'), await invite('unknown')];
    const shapeOf = ({ body }: Answer) => ({
      ...body,
      ...{ id: '', name: '', email: '', created_at: '', invitation: Object.keys(linkOf({ body } as Answer)) },
    });
    expect(shapeOf(known)).toEqual(shapeOf(unknown));
    const token = tokenIn(linkOf(known).link);
    const wrong = await accept(token, { password: 'not the password of it' });
    expect(wrong).toMatchObject({ status: 401, body: { error: 'INVALID_CREDENTIALS' } });
    const browser = Browser.on(stack);
    expect((await accept(token, { password }, browser)).body).toMatchObject({
      org_id: stack.credentials.org_id,
      member: { id: known.body['id'] },
      workspaces: [{}, {}],
    });
  });

  it('of many uses at once one succeeds', async () => {
    const token = tokenIn(linkOf(await invite('raced')).link);
    const answers = await Promise.all(Array.from({ length: 5 }, () => accept(token)));
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
    for (const { status } of answers) expect([200, 401, 404]).toContain(status);
  });

  it('a new link ends the earlier one; none works after seven days, or after the invitation was taken back', async () => {
    const made = await invite('renewed');
    const path = `/api/v1/members/${String(made.body['id'])}`;
    const renewed = await admin.call('POST', `${path}/invitation`);
    expect(renewed).toMatchObject({ status: 201, body: { mailed: true } });
    expect((await accept(tokenIn(linkOf(made).link))).status).toBe(404);
    const pool = testPool({ connectionString: stack.databaseUrl('gateway') });
    await pool.query(`UPDATE invitation_link SET expires_at = clock_timestamp() WHERE member_id = $1`, [
      made.body['id'],
    ]);
    await pool.end();
    expect((await accept(tokenIn(String(renewed.body['link'])))).status).toBe(404);
    const again = await admin.call('POST', `${path}/invitation`);
    expect((await admin.call('DELETE', path)).status).toBe(200);
    expect((await accept(tokenIn(String(again.body['link'])))).status).toBe(404);
    expect((await admin.call('POST', `${path}/invitation`)).status).toBe(404);
    const active = await invite('active');
    await accept(tokenIn(linkOf(active).link));
    const late = await admin.call('POST', `/api/v1/members/${String(active.body['id'])}/invitation`);
    expect(late).toMatchObject({ status: 409, body: { error: 'INVITATION_ANSWERED' } });
  });

  it('a person whose mail is refused is invited all the same, and the answer says so', async () => {
    mail.refusals.push(550);
    const made = await invite('refused');
    expect(linkOf(made).mailed).toBe(false);
    expect((await accept(tokenIn(linkOf(made).link))).status).toBe(200);
  });

  it('a page of another site accepts nothing', async () => {
    const token = tokenIn(linkOf(await invite('crossed')).link);
    const crossed = await Browser.on(stack).call('POST', '/api/v1/invitations/accept', {
      body: { token, password },
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(crossed).toMatchObject({ status: 403, body: { error: 'CSRF' } });
    expect((await accept(token)).status).toBe(200);
  });

  it('no link is in the log files, the audit log, the deliveries or the database', async () => {
    expect(tokens.length).toBeGreaterThan(10);
    const files = globSync(join(stack.dataDir, '**/*.log'));
    expect(files.length).toBeGreaterThan(0);
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    const pool = testPool({ connectionString: stack.databaseUrl('gateway') });
    const { rows } = await pool.query('SELECT to_jsonb(e) AS row FROM event e');
    await pool.end();
    const deliveries = (await admin.get('/api/v1/deliveries')).text;
    const entries = JSON.stringify(await readLog(admin));
    for (const text of [...texts, ...stack.printed, JSON.stringify(rows), deliveries, entries])
      for (const token of tokens) expect(text).not.toContain(token);
  });
});
