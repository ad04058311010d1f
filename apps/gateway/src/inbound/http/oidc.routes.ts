import type { Logger } from '@agentlattice/observability';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import type { SignInWithOidc } from '../../application/sign-in-with-oidc.js';
import { ownPath } from '../../domain/oidc-mapping.js';
import type { OidcProvider } from '../../outbound/oidc-provider.js';
import type { PrincipalDirectory } from '../../outbound/principal-directory.js';
import { oidcCallbackPath, oidcStartPath } from './oidc-paths.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { setSessionCookie } from './session-cookie.js';
import { contextOf } from './sessions.controller.js';

export interface OidcSteps {
  readonly provider: OidcProvider;
  readonly signIn: SignInWithOidc;
  readonly directory: Pick<PrincipalDirectory, 'now'>;
  readonly logger: Logger;
}

/** Why a sign-in failed, as the page of the sign-in is told. */
type Failure = 'no_access' | 'expired' | 'denied' | 'provider';

const cookieName = '__Host-al_oidc';
const cookieSeconds = 600;
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';
const loginInCookie = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
});

/**
 * The way of a browser to the provider and back. These are pages and no operations of the API, so they are not in the route
 * table. The browser keeps state, nonce and verifier in a cookie that only this host can set: an answer that another browser
 * asked for is refused, and any gateway can take it.
 */
export function addOidcRoutes(
  app: NestFastifyApplication,
  { provider, signIn, directory, logger }: OidcSteps,
): void {
  const fastify = app.getHttpAdapter().getInstance();
  const failed = (reply: GatewayReply, failure: Failure) => {
    reply.header('set-cookie', `${cookieName}=; Max-Age=0; ${attributes}`);
    return redirect(reply, `/sign-in?error=${failure}`);
  };

  fastify.get(oidcStartPath, async (request: GatewayRequest, reply: GatewayReply) => {
    try {
      const { url, login } = await provider.begin();
      const { return_to } = request.query as { return_to?: unknown };
      const kept = Buffer.from(JSON.stringify({ ...login, returnTo: ownPath(return_to) })).toString(
        'base64url',
      );
      reply.header('set-cookie', `${cookieName}=${kept}; Max-Age=${String(cookieSeconds)}; ${attributes}`);
      return await redirect(reply, url);
    } catch (error) {
      logger.warn({ err: error, request_id: request.id }, 'a sign-in with OIDC could not begin');
      return failed(reply, 'provider');
    }
  });

  fastify.get(oidcCallbackPath, async (request: GatewayRequest, reply: GatewayReply) => {
    const login = loginOf(request);
    if (login === null) return failed(reply, 'expired');
    const query = request.url.split('?')[1] ?? '';
    const answer = new URLSearchParams(query);
    if (answer.get('state') !== login.state) return failed(reply, 'expired');
    if (answer.has('error'))
      return failed(reply, answer.get('error') === 'access_denied' ? 'denied' : 'provider');
    try {
      const person = await provider.finish(query, login);
      const started = await signIn(person, contextOf(request));
      if (started === null) return await failed(reply, 'no_access');
      reply.header('set-cookie', `${cookieName}=; Max-Age=0; ${attributes}`);
      setSessionCookie(reply, started.token, started.endsAt, directory.now());
      return await redirect(reply, ownPath(login.returnTo));
    } catch (error) {
      // The messages of the library name no token.
      logger.warn({ reason: reasonOf(error), request_id: request.id }, 'a sign-in with OIDC failed');
      return failed(reply, 'provider');
    }
  });
}

const redirect = (reply: GatewayReply, to: string): GatewayReply => reply.redirect(to, 303);

function loginOf({ headers }: GatewayRequest): z.infer<typeof loginInCookie> | null {
  const value = new RegExp(`(?:^|;\\s*)${cookieName}=([\\w-]{1,4000})(?:;|$)`).exec(
    headers.cookie ?? '',
  )?.[1];
  if (value === undefined) return null;
  try {
    return loginInCookie.safeParse(JSON.parse(Buffer.from(value, 'base64url').toString())).data ?? null;
  } catch {
    return null;
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 300) : 'unknown';
