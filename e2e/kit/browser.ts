import { sessionCookieName } from '@agentlattice/contracts';
import type { RunningSystem } from '@agentlattice/testkit';
import { type Answer, Api, type Call } from './api.js';
import { EventSourceClient } from './event-source.js';

/** A browser on one machine: it keeps the session cookie, and its page sends the CSRF token. */
export class Browser {
  private readonly api: Api;
  private jar: string | undefined;
  csrf: string | undefined;

  constructor(private readonly baseUrl: string) {
    this.api = new Api(baseUrl, null);
  }

  static on = (stack: Pick<RunningSystem, 'baseUrl'>): Browser => new Browser(stack.baseUrl);

  /** The token of the session; undefined when signed out. */
  get token(): string | undefined {
    return this.jar;
  }

  get cookie(): string {
    return `${sessionCookieName}=${this.jar ?? ''}`;
  }

  /** A request of the page. Headers that are given replace those that a browser would send. */
  async call(method: string, path: string, { headers = {}, ...call }: Call = {}): Promise<Answer> {
    const answer = await this.api.call(method, path, {
      ...call,
      headers: {
        'sec-fetch-site': 'same-origin',
        ...(this.jar === undefined ? {} : { cookie: this.cookie }),
        ...(this.csrf === undefined || method === 'GET' ? {} : { 'x-csrf-token': this.csrf }),
        ...headers,
      },
    });
    for (const set of answer.headers.getSetCookie()) {
      const value = new RegExp(`^${sessionCookieName}=([^;]*)`).exec(set)?.[1];
      if (value !== undefined) this.jar = value === '' ? undefined : value;
    }
    const token = answer.body['csrf_token'];
    if (typeof token === 'string') this.csrf = token;
    return answer;
  }

  get(path: string): Promise<Answer> {
    return this.call('GET', path);
  }

  post(path: string, body?: unknown): Promise<Answer> {
    return this.call('POST', path, body === undefined ? {} : { body });
  }

  signIn({ email, password }: { email: string; password: string }): Promise<Answer> {
    return this.post('/api/v1/sign-in', { email, password });
  }

  /** Signs in. @throws when that fails */
  async signedIn(credentials: { email: string; password: string }): Promise<this> {
    const answer = await this.signIn(credentials);
    if (answer.status !== 200) throw new Error(answer.text);
    return this;
  }

  /** Live events by the cookie. */
  listen(): Promise<EventSourceClient> {
    return EventSourceClient.open(this.baseUrl, null, { headers: { cookie: this.cookie } });
  }
}
