import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

/** What the provider says of the person who signs in next. */
export interface Claims {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

/** A real OpenID provider on this machine, at which `next` signs in without being asked. */
export class OpenIdProvider {
  next: Claims = { sub: 'nobody' };
  /** Set to refuse the next sign-in as a person would. */
  refuses = false;
  private readonly accounts = new Map<string, Claims>();

  private constructor(
    private readonly server: Server,
    readonly issuer: string,
  ) {}

  static async listen(): Promise<OpenIdProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return new OpenIdProvider(server, `http://127.0.0.1:${String(port)}`);
  }

  /** The client must be known before the first request. */
  serve(client: { client_id: string; client_secret: string; redirect_uri: string }): void {
    const { client_id, client_secret, redirect_uri } = client;
    const provider = new Provider(this.issuer, {
      clients: [{ client_id, client_secret, redirect_uris: [redirect_uri], response_types: ['code'] }],
      cookies: { keys: ['a key of this test'] },
      claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['name'] },
      // Claims of the scopes are in the ID token and in the user information.
      conformIdTokenClaims: false,
      features: { devInteractions: { enabled: false } },
      pkce: { required: () => true },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      findAccount: (_context, sub) => ({
        accountId: sub,
        claims: () => this.accounts.get(sub) ?? { sub },
      }),
    });
    const handle = provider.callback();
    this.server.on('request', (request, response) => {
      if (request.url?.startsWith('/interaction/') !== true) return void handle(request, response);
      this.signIn(provider, request, response).catch((error: unknown) => {
        response.statusCode = 500;
        response.end(String(error));
      });
    });
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async signIn(
    provider: Provider,
    ...[request, response]: Parameters<Provider['interactionDetails']>
  ): Promise<void> {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (this.refuses) return provider.interactionFinished(request, response, { error: 'access_denied' });
    if (prompt.name === 'login') {
      this.accounts.set(this.next.sub, this.next);
      return provider.interactionFinished(request, response, { login: { accountId: this.next.sub } });
    }
    const grant = new provider.Grant({
      accountId: session?.accountId ?? '',
      clientId: String(params['client_id']),
    });
    grant.addOIDCScope('openid email profile');
    const grantId = await grant.save();
    return provider.interactionFinished(request, response, { consent: { grantId } });
  }
}
