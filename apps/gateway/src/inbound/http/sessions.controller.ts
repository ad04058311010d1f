import {
  Refused,
  type RouteInput,
  type RouteOutput,
  routes,
  type SessionView,
} from '@agentlattice/contracts';
import { currentTraceparent } from '@agentlattice/observability';
import { Controller, Inject, Req, Res } from '@nestjs/common';
import type { AcceptInvitationLink } from '../../application/accept-invitation-link.js';
import type { SessionCaller, SessionUseCases } from '../../application/change-session.js';
import type { SignInContext, StartedSession } from '../../application/session-ports.js';
import type { SignIn } from '../../application/sign-in.js';
import type { GatewayConfig } from '../../config.js';
import type { Operator } from '../../domain/principal.js';
import type { PrincipalDirectory } from '../../outbound/principal-directory.js';
import type { StoredSessionView } from '../../outbound/session-store.js';
import { ACCEPT_INVITATION_LINK, DIRECTORY, SESSION_CONFIG, SESSIONS, SIGN_IN } from '../../tokens.js';
import { refuseCrossSite } from './cross-site.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { oidcStartPath } from './oidc-paths.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';
import { clearSessionCookie, csrfTokenOf, sessionTokenOf, setSessionCookie } from './session-cookie.js';

/** Sign-in with a password, and the sessions of the caller. */
@Controller()
export class SessionsController {
  constructor(
    @Inject(SIGN_IN) private readonly signInBy: SignIn,
    @Inject(ACCEPT_INVITATION_LINK) private readonly acceptLink: AcceptInvitationLink,
    @Inject(SESSIONS) private readonly sessions: SessionUseCases,
    @Inject(DIRECTORY) private readonly directory: PrincipalDirectory,
    @Inject(SESSION_CONFIG) private readonly config: Pick<GatewayConfig, 'oidc' | 'passwordSignIn'>,
  ) {}

  @Handles(routes.signInMethods)
  methods(): RouteOutput<typeof routes.signInMethods> {
    const { oidc, passwordSignIn } = this.config;
    return {
      password: passwordSignIn,
      oidc: oidc === null ? null : { name: oidc.name, start_url: oidcStartPath },
    };
  }

  @Handles(routes.signIn)
  async signIn(
    @RequestInput() { body }: RouteInput<typeof routes.signIn>,
    @Req() request: GatewayRequest,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.signIn>> {
    // A page of another site must not sign its visitor in as somebody else either.
    refuseCrossSite(request);
    this.checkPasswordSignIn();
    const started = await this.signInBy(body, contextOf(request));
    return this.begin(started, reply);
  }

  @Handles(routes.acceptInvitationLink)
  async acceptInvitation(
    @RequestInput() { body }: RouteInput<typeof routes.acceptInvitationLink>,
    @Req() request: GatewayRequest,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.acceptInvitationLink>> {
    refuseCrossSite(request);
    this.checkPasswordSignIn();
    const { token, name = null, password } = body;
    return this.begin(await this.acceptLink({ token, name, password }, contextOf(request)), reply);
  }

  @Handles(routes.getSession)
  async get(
    @Caller() principal: Operator,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.getSession>> {
    return withCsrf(await this.sessions.view(callerOf(principal).sessionId), request);
  }

  @Handles(routes.extendSession)
  async extend(
    @Caller() principal: Operator,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.extendSession>> {
    return withCsrf(await this.sessions.extend(callerOf(principal)), request);
  }

  @Handles(routes.signOut)
  async signOut(
    @Caller() principal: Operator,
    @Req() request: GatewayRequest,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.signOut>> {
    const id = await this.sessions.signOut(callerOf(principal), contextOf(request));
    clearSessionCookie(reply);
    return { id };
  }

  @Handles(routes.switchWorkspace)
  async switchWorkspace(
    @Caller() principal: Operator,
    @RequestInput() { body }: RouteInput<typeof routes.switchWorkspace>,
    @Req() request: GatewayRequest,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.switchWorkspace>> {
    const caller = callerOf(principal);
    return this.begin(await this.sessions.switchWorkspace(caller, body.org_id, contextOf(request)), reply);
  }

  @Handles(routes.changePassword)
  async changePassword(
    @Caller() principal: Operator,
    @RequestInput() { body }: RouteInput<typeof routes.changePassword>,
    @Req() request: GatewayRequest,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.changePassword>> {
    const passwords = { current: body.current_password, next: body.new_password };
    const caller = callerOf(principal);
    return this.begin(await this.sessions.changePassword(caller, passwords, contextOf(request)), reply);
  }

  @Handles(routes.listSessions)
  async list(@Caller() principal: Operator): Promise<RouteOutput<typeof routes.listSessions>> {
    return { sessions: await this.sessions.list(callerOf(principal)) };
  }

  @Handles(routes.revokeSession)
  async revoke(
    @Caller() principal: Operator,
    @RequestInput() { params }: RouteInput<typeof routes.revokeSession>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.revokeSession>> {
    const caller = callerOf(principal);
    return { id: await this.sessions.revoke(caller, params.session_id, contextOf(request)) };
  }

  /** @throws Refused FORBIDDEN where people sign in at the OpenID provider */
  private checkPasswordSignIn(): void {
    if (!this.config.passwordSignIn)
      throw new Refused('FORBIDDEN', 'people sign in with OIDC here; sign-in with a password is off');
  }

  private async begin({ id, token, endsAt }: StartedSession, reply: GatewayReply): Promise<SessionView> {
    const view = await this.sessions.view(id);
    setSessionCookie(reply, token, endsAt, this.directory.now());
    return { ...view, csrf_token: csrfTokenOf(token) };
  }
}

/** @throws Refused NOT_FOUND for a call with a key */
function callerOf({ session, personId, orgId, memberId }: Operator): SessionCaller {
  if (session === undefined)
    throw new Refused('NOT_FOUND', 'this call was made with a key, so there is no session');
  return { sessionId: session.id, personId, orgId, memberId };
}

function withCsrf(view: StoredSessionView, request: GatewayRequest): SessionView {
  const token = sessionTokenOf(request);
  if (token === undefined) throw new Error('a call in a session has its cookie');
  return { ...view, csrf_token: csrfTokenOf(token) };
}

const mostOfUserAgent = 300;

export const contextOf = (request: GatewayRequest): SignInContext => ({
  client: {
    address: request.ip,
    userAgent: request.headers['user-agent']?.slice(0, mostOfUserAgent) ?? null,
  },
  correlationId: request.id,
  traceparent: currentTraceparent(),
});
