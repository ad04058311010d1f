import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { COMMANDS, LOGGER, PeriodicTask, POOL } from '@agentlattice/service';
import {
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import type pg from 'pg';
import { makeAcceptInvitationLink } from './application/accept-invitation-link.js';
import { makeRemoveMember, makeUpdateMember, type MemberPorts } from './application/change-member.js';
import { makeSessionUseCases } from './application/change-session.js';
import { makeInviteMember } from './application/invite-member.js';
import type { RefusedAccess } from './application/refused-access.js';
import { SignInGate } from './application/sign-in-gate.js';
import { makeSignInWithOidc } from './application/sign-in-with-oidc.js';
import { makeSignIn, type SignInPorts } from './application/sign-in.js';
import { type GatewayConfig, readGatewayConfig } from './config.js';
import { MembersController } from './inbound/http/members.controller.js';
import type { OidcSteps } from './inbound/http/oidc.routes.js';
import { SessionsController } from './inbound/http/sessions.controller.js';
import { InvitationLinks } from './outbound/invitation-links.js';
import { InvitationStore } from './outbound/invitation-store.js';
import { OidcIdentities } from './outbound/oidc-identities.js';
import { OidcProvider } from './outbound/oidc-provider.js';
import { MemberStore } from './outbound/member-store.js';
import type { PrincipalDirectory } from './outbound/principal-directory.js';
import type { PrincipalStore } from './outbound/principal-store.js';
import { SessionStore } from './outbound/session-store.js';
import { SignInAttempts } from './outbound/sign-in-attempts.js';
import { PrincipalsModule } from './principals.module.js';
import {
  ACCEPT_INVITATION_LINK,
  CHANGE_MEMBER,
  DIRECTORY,
  INVITATION_LINKS,
  INVITE_MEMBER,
  OIDC,
  REFUSED_ACCESS,
  REMOVE_MEMBER,
  SESSION_CONFIG,
  SESSION_PORTS,
  SESSIONS,
  SIGN_IN,
  STORE,
} from './tokens.js';

const memberUseCase = (provide: symbol, make: (ports: MemberPorts) => unknown): Provider => ({
  provide,
  inject: [SESSION_PORTS, POOL],
  useFactory: (ports: SignInPorts, pool: pg.Pool) => make({ ...ports, members: new MemberStore(pool) }),
});

const forgetEveryMs = 10 * 60_000;

/** People who sign in, their sessions, and changes of members, which end sessions. */
@Module({
  imports: [PrincipalsModule],
  controllers: [SessionsController, MembersController],
  providers: [
    { provide: SESSION_CONFIG, useFactory: () => readGatewayConfig(process.env) },
    { provide: INVITATION_LINKS, inject: [POOL], useFactory: (pool: pg.Pool) => new InvitationLinks(pool) },
    {
      provide: SESSION_PORTS,
      inject: [POOL, STORE, DIRECTORY, REFUSED_ACCESS, SESSION_CONFIG],
      useFactory: (
        pool: pg.Pool,
        store: PrincipalStore,
        directory: PrincipalDirectory,
        refused: RefusedAccess,
        { sessionLife }: GatewayConfig,
      ): SignInPorts => {
        return {
          store,
          refresh: () => directory.refresh(),
          sessions: new SessionStore(pool),
          attempts: new SignInAttempts(pool),
          life: sessionLife,
          refused,
          gate: new SignInGate(),
        };
      },
    },
    { provide: SIGN_IN, inject: [SESSION_PORTS], useFactory: makeSignIn },
    { provide: SESSIONS, inject: [SESSION_PORTS], useFactory: makeSessionUseCases },
    {
      provide: INVITE_MEMBER,
      inject: [SESSION_PORTS, INVITATION_LINKS, POOL, COMMANDS, LOGGER],
      useFactory: (
        { store, refresh }: SignInPorts,
        links: InvitationLinks,
        pool: pg.Pool,
        commands: CommandClient,
        logger: Logger,
      ) => {
        const invitations = new InvitationStore(pool);
        return makeInviteMember({ store, refresh, invitations, links, commands, logger });
      },
    },
    {
      provide: ACCEPT_INVITATION_LINK,
      inject: [SESSION_PORTS, INVITATION_LINKS],
      useFactory: (ports: SignInPorts, links: InvitationLinks) =>
        makeAcceptInvitationLink({ ...ports, links }),
    },
    {
      provide: OIDC,
      inject: [SESSION_PORTS, SESSION_CONFIG, DIRECTORY, POOL, LOGGER],
      useFactory: (
        ports: SignInPorts,
        { oidc }: GatewayConfig,
        directory: PrincipalDirectory,
        pool: pg.Pool,
        logger: Logger,
      ): OidcSteps | null => {
        if (oidc === null) return null;
        const [identities, members] = [new OidcIdentities(pool), new MemberStore(pool)];
        const signIn = makeSignInWithOidc({ ...ports, identities, members, mapping: oidc.mapping, logger });
        return { provider: new OidcProvider(oidc), signIn, directory, logger };
      },
    },
    memberUseCase(CHANGE_MEMBER, makeUpdateMember),
    memberUseCase(REMOVE_MEMBER, makeRemoveMember),
  ],
  exports: [OIDC],
})
export class SessionsModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private forgetting: PeriodicTask | undefined;

  constructor(
    @Inject(SESSION_PORTS) private readonly ports: SignInPorts,
    @Inject(INVITATION_LINKS) private readonly links: InvitationLinks,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    const { attempts, sessions } = this.ports;
    this.forgetting = new PeriodicTask(
      'forgetting old sessions, tries and links',
      forgetEveryMs,
      async () => {
        await attempts.forget();
        await sessions.forget();
        await this.links.forget();
      },
      this.logger,
    ).start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.forgetting?.stop();
  }
}
