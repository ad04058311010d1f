import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually, startBrowser, type Stack, type StackOptions, startStack } from '@agentlattice/testkit';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { addPerson, mailAddress } from './people.js';
import { adminOf, agentOf, type Api } from './api.js';

export const screenshots = fileURLToPath(new URL('../screenshots/', import.meta.url));

interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** For starting, where the browser may have to be installed first. */
export const startWithinMs = 600_000;

/** The whole system with a browser, for one test file. */
export class Dashboard {
  /** What no page may ever say: faults of scripts, and refusals of the content security policy. */
  readonly faults: string[] = [];
  readonly admin: Api;
  readonly agent: Api;
  readonly administrator: Credentials;

  private constructor(
    readonly stack: Stack,
    readonly browser: Browser,
  ) {
    this.admin = adminOf(stack);
    this.agent = agentOf(stack);
    this.administrator = stack.credentials.admin;
  }

  static async start(options: StackOptions = {}): Promise<Dashboard> {
    mkdirSync(screenshots, { recursive: true });
    const stack = await startStack({ samplePolicy: false, ...options });
    try {
      const [browser] = await Promise.all([startBrowser(), stack.startServices()]);
      return new Dashboard(stack, browser);
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.stack.stop();
  }

  /** A page of a new browser profile; nobody is signed in. */
  async page(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await this.browser.newContext({
      baseURL: this.stack.baseUrl,
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => {
      if (/content security policy|trusted ?type/i.test(message.text())) this.faults.push(message.text());
    });
    return page;
  }

  /** A page on which that person is signed in. */
  async signedIn(who: Credentials, path = '/approvals', options = {}): Promise<Page> {
    const page = await this.page(options);
    await page.goto(path);
    await signIn(page, who);
    return page;
  }

  /** Further pages of the same session. */
  stateOf(page: Page): ReturnType<BrowserContext['storageState']> {
    return page.context().storageState();
  }

  /** A member who has chosen a password of their own, without which they could not decide. */
  async person(
    name: string,
    role: 'viewer' | 'member' | 'admin',
    groups: string[] = [],
  ): Promise<Credentials> {
    await addPerson(this.admin, { name, role, groups });
    return this.withOwnPassword(mailAddress(name));
  }

  /** Replaces the password that another person set. */
  async withOwnPassword(email: string): Promise<Credentials> {
    const password = 'a password of my own';
    const api = this.admin.as(null);
    const first = { email, password: 'a long password' };
    const entered = await api.post('/api/v1/sign-in', first);
    const changed = await api.post(
      '/api/v1/session/password',
      { current_password: first.password, new_password: password },
      {
        cookie: entered.headers.get('set-cookie')?.split(';')[0] ?? '',
        'x-csrf-token': String(entered.body['csrf_token']),
      },
    );
    if (changed.status !== 200) throw new Error(changed.text);
    return { email, password };
  }

  /** An agent asks; the id of the request. */
  async ask(actionType: string, metadata: Record<string, unknown> = {}, by = this.agent): Promise<string> {
    const { status, body, text } = await by.submit(actionType, metadata);
    if (status !== 202) throw new Error(text);
    return String(body['approval_id']);
  }

  async statusOf(id: string): Promise<Record<string, unknown>> {
    return (await this.admin.get(`/api/v1/approvals/${id}`)).body;
  }

  /** Ends every waiting request, by the agent where the administrator may not decide. */
  async endAll(): Promise<void> {
    const open = await this.admin.get('/api/v1/approvals?status=pending&limit=200');
    for (const { id } of open.body['approvals'] as { id: string }[]) {
      const denied = await this.admin.post(`/api/v1/approvals/${id}/deny`, {});
      if (denied.status !== 200) await this.agent.post(`/api/v1/approvals/${id}/cancel`, {});
    }
  }

  /** Waits until the request has ended. */
  ended(id: string): Promise<Record<string, unknown>> {
    return eventually(async () => {
      const request = await this.statusOf(id);
      return request['status'] !== 'pending' && request['status'] !== 'escalated' ? request : undefined;
    });
  }
}

export async function signIn(page: Page, { email, password }: Credentials): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { level: 1 }).and(page.locator('main:not(.door) h1')).waitFor();
}

export const tile = (page: Page, actionType: string) =>
  page.getByRole('article', { name: actionType, exact: true });
