import { type Relay, startRelay } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import {
  type BaseConfig,
  COMMANDS,
  CONFIG,
  LAGS,
  type LagRegistry,
  LOGGER,
  NATS,
  POOL,
} from '@agentlattice/service';
import {
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { makeAcceptInvitation } from './application/accept-invitation.js';
import { makeChangeAgent } from './application/change-agent.js';
import { makeCreateKey } from './application/create-key.js';
import { makeCreateMember } from './application/create-member.js';
import { makeCreateWorkspace } from './application/create-workspace.js';
import { makeDeclineInvitation } from './application/decline-invitation.js';
import type { InvitationPorts } from './application/invitation-ports.js';
import { makeListInvitations } from './application/list-invitations.js';
import { makeNameMembers } from './application/name-members.js';
import type { PrincipalPorts } from './application/principal-ports.js';
import { makeDelegate } from './application/delegate.js';
import { makeRegisterAgent } from './application/register-agent.js';
import { makeRevokeKey } from './application/revoke-key.js';
import { makeRotateKey } from './application/rotate-key.js';
import { RefusedAccess } from './application/refused-access.js';
import { readGatewayConfig } from './config.js';
import { GatewayEventsResponder } from './inbound/gateway-events.responder.js';
import { PrincipalsController } from './inbound/http/principals.controller.js';
import { WorkspacesController } from './inbound/http/workspaces.controller.js';
import { InvitationStore } from './outbound/invitation-store.js';
import { PrincipalDirectory } from './outbound/principal-directory.js';
import { PrincipalStore } from './outbound/principal-store.js';
import { MemberNameReader } from './read/member-names.js';
import {
  ACCEPT_INVITATION,
  CHANGE_AGENT,
  CREATE_KEY,
  CREATE_MEMBER,
  CREATE_WORKSPACE,
  DECLINE_INVITATION,
  DELEGATE,
  DIRECTORY,
  GATEWAY_CONFIG,
  LIST_INVITATIONS,
  NAME_MEMBERS,
  REFUSED_ACCESS,
  REGISTER_AGENT,
  REVOKE_KEY,
  ROTATE_KEY,
  STORE,
} from './tokens.js';

function useCase(provide: symbol, make: (ports: PrincipalPorts) => unknown): Provider {
  return {
    provide,
    inject: [STORE, DIRECTORY],
    useFactory: (store: PrincipalStore, directory: PrincipalDirectory) =>
      make({ store, refresh: () => directory.refresh() }),
  };
}

function invitationUseCase(provide: symbol, make: (ports: InvitationPorts) => unknown): Provider {
  return {
    provide,
    inject: [STORE, POOL, DIRECTORY],
    useFactory: (store: PrincipalStore, pool: pg.Pool, directory: PrincipalDirectory) =>
      make({ store, invitations: new InvitationStore(pool), refresh: () => directory.refresh() }),
  };
}

/** The gateway's own data: workspaces, members, agents and keys, with their events. */
@Module({
  controllers: [PrincipalsController, WorkspacesController, GatewayEventsResponder],
  providers: [
    { provide: STORE, inject: [POOL], useFactory: (pool: pg.Pool) => new PrincipalStore(pool) },
    {
      provide: DIRECTORY,
      inject: [POOL, LOGGER],
      useFactory: (pool: pg.Pool, logger: Logger) =>
        new PrincipalDirectory(pool, logger, readGatewayConfig(process.env).sessionLife),
    },
    useCase(REGISTER_AGENT, makeRegisterAgent),
    {
      provide: DELEGATE,
      inject: [STORE, DIRECTORY, COMMANDS],
      useFactory: (store: PrincipalStore, directory: PrincipalDirectory, commands: CommandClient) =>
        makeDelegate({ store, refresh: () => directory.refresh(), commands }),
    },
    useCase(CHANGE_AGENT, makeChangeAgent),
    useCase(CREATE_MEMBER, makeCreateMember),
    useCase(CREATE_KEY, makeCreateKey),
    useCase(ROTATE_KEY, makeRotateKey),
    useCase(REVOKE_KEY, makeRevokeKey),
    useCase(CREATE_WORKSPACE, makeCreateWorkspace),
    invitationUseCase(LIST_INVITATIONS, makeListInvitations),
    invitationUseCase(ACCEPT_INVITATION, makeAcceptInvitation),
    invitationUseCase(DECLINE_INVITATION, makeDeclineInvitation),
    { provide: GATEWAY_CONFIG, useFactory: () => readGatewayConfig(process.env) },
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
  exports: [GATEWAY_CONFIG, DELEGATE, STORE, DIRECTORY, REFUSED_ACCESS, NAME_MEMBERS, CREATE_MEMBER],
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

  /** After the last answer, which needs keys. Counted refusals are written first, so that the relay still publishes them. */
  async onApplicationShutdown(): Promise<void> {
    await this.refused.stop();
    await this.relay?.stop();
    await this.directory.stop();
  }
}
