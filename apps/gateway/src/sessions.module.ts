import type { Logger } from '@agentlattice/observability';
import { LOGGER, PeriodicTask, POOL } from '@agentlattice/service';
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import { makeSessionUseCases } from './application/change-session.js';
import type { RefusedAccess } from './application/refused-access.js';
import { makeSignIn, type SignInPorts } from './application/sign-in.js';
import { type GatewayConfig, readGatewayConfig } from './config.js';
import { SessionsController } from './inbound/http/sessions.controller.js';
import type { PrincipalDirectory } from './outbound/principal-directory.js';
import type { PrincipalStore } from './outbound/principal-store.js';
import { SessionStore } from './outbound/session-store.js';
import { SignInAttempts } from './outbound/sign-in-attempts.js';
import { PrincipalsModule } from './principals.module.js';
import { DIRECTORY, REFUSED_ACCESS, SESSION_PORTS, SESSIONS, SIGN_IN, STORE } from './tokens.js';

const forgetEveryMs = 10 * 60_000;

/** People who sign in, and their sessions. */
@Module({
  imports: [PrincipalsModule],
  controllers: [SessionsController],
  providers: [
    {
      provide: SESSION_PORTS,
      inject: [POOL, STORE, DIRECTORY, REFUSED_ACCESS],
      useFactory: (
        pool: pg.Pool,
        store: PrincipalStore,
        directory: PrincipalDirectory,
        refused: RefusedAccess,
      ): SignInPorts => {
        const { sessionLife }: GatewayConfig = readGatewayConfig(process.env);
        return {
          store,
          refresh: () => directory.refresh(),
          sessions: new SessionStore(pool),
          attempts: new SignInAttempts(pool),
          life: sessionLife,
          refused,
        };
      },
    },
    { provide: SIGN_IN, inject: [SESSION_PORTS], useFactory: makeSignIn },
    { provide: SESSIONS, inject: [SESSION_PORTS], useFactory: makeSessionUseCases },
  ],
  exports: [SESSION_PORTS],
})
export class SessionsModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private forgetting: PeriodicTask | undefined;

  constructor(
    @Inject(SESSION_PORTS) private readonly ports: SignInPorts,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    const { attempts, sessions } = this.ports;
    this.forgetting = new PeriodicTask(
      'forgetting old sessions and tries',
      forgetEveryMs,
      async () => {
        await attempts.forget();
        await sessions.forget();
      },
      this.logger,
    ).start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.forgetting?.stop();
  }
}
