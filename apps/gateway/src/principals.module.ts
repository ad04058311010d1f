import { type Relay, startRelay } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import { type BaseConfig, CONFIG, LAGS, type LagRegistry, LOGGER, NATS, POOL } from '@agentlattice/service';
import {
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { makeCreateWorkspace } from './application/create-workspace.js';
import { Invitations } from './application/invitations.js';
import { makeNameMembers } from './application/name-members.js';
import { Principals } from './application/principals.js';
import { RefusedAccess } from './application/refused-access.js';
import { GatewayEventsResponder } from './inbound/gateway-events.responder.js';
import { PrincipalsController } from './inbound/http/principals.controller.js';
import { WorkspacesController } from './inbound/http/workspaces.controller.js';
import { InvitationStore } from './outbound/invitation-store.js';
import { PrincipalDirectory } from './outbound/principal-directory.js';
import { PrincipalStore } from './outbound/principal-store.js';
import { MemberNameReader } from './read/member-names.js';
import {
  CREATE_WORKSPACE,
  DIRECTORY,
  INVITATIONS,
  NAME_MEMBERS,
  PRINCIPALS,
  REFUSED_ACCESS,
  STORE,
} from './tokens.js';

/** What the gateway owns: workspaces, members, agents and keys, with their events. */
@Module({
  controllers: [PrincipalsController, WorkspacesController, GatewayEventsResponder],
  providers: [
    { provide: STORE, inject: [POOL], useFactory: (pool: pg.Pool) => new PrincipalStore(pool) },
    {
      provide: DIRECTORY,
      inject: [POOL, LOGGER],
      useFactory: (pool: pg.Pool, logger: Logger) => new PrincipalDirectory(pool, logger),
    },
    {
      provide: PRINCIPALS,
      inject: [STORE, DIRECTORY],
      useFactory: (store: PrincipalStore, directory: PrincipalDirectory) =>
        new Principals(store, () => directory.refresh()),
    },
    {
      provide: CREATE_WORKSPACE,
      inject: [STORE, DIRECTORY],
      useFactory: (store: PrincipalStore, directory: PrincipalDirectory) =>
        makeCreateWorkspace({ store, refresh: () => directory.refresh() }),
    },
    {
      provide: INVITATIONS,
      inject: [STORE, POOL, DIRECTORY],
      useFactory: (store: PrincipalStore, pool: pg.Pool, directory: PrincipalDirectory) =>
        new Invitations(store, new InvitationStore(pool), () => directory.refresh()),
    },
    {
      provide: REFUSED_ACCESS,
      inject: [STORE, LOGGER],
      useFactory: (store: PrincipalStore, logger: Logger) => new RefusedAccess(store, logger),
    },
    {
      provide: NAME_MEMBERS,
      inject: [POOL, LOGGER],
      useFactory: (pool: pg.Pool, logger: Logger) => makeNameMembers(new MemberNameReader(pool, logger)),
    },
  ],
  exports: [STORE, DIRECTORY, REFUSED_ACCESS, NAME_MEMBERS],
})
export class PrincipalsModule implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private relay: Relay | undefined;

  constructor(
    @Inject(DIRECTORY) private readonly directory: PrincipalDirectory,
    @Inject(REFUSED_ACCESS) private readonly refused: RefusedAccess,
    @Inject(CONFIG) private readonly config: BaseConfig,
    @Inject(NATS) private readonly nc: NatsConnection,
    @Inject(LAGS) private readonly lags: LagRegistry,
    @Inject(POOL) private readonly pool: pg.Pool,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): Promise<void> {
    return this.directory.start();
  }

  onApplicationBootstrap(): void {
    const { pool, nc, logger } = this;
    this.lags.addRelay('gateway', pool);
    this.relay = startRelay({ pool, databaseUrl: this.config.databaseUrl, nc, service: 'gateway', logger });
  }

  /** After the last answer: until then keys are needed. The relay takes what was counted until the end with it. */
  async onApplicationShutdown(): Promise<void> {
    await this.refused.stop();
    await this.relay?.stop();
    await this.directory.stop();
  }
}
