import { type CommandRequest, policyEngineCommands as commands } from '@agentlattice/contracts';
import type { CommandContext } from '@agentlattice/messaging';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { MakeDelegation } from '../application/create-delegation.js';
import type { DelegationStanding } from '../application/delegation-standing.js';
import type { RevokeDelegation } from '../application/revoke-delegation.js';
import type { DelegationReader } from '../read/delegation-reader.js';
import { CREATE_DELEGATION, DELEGATION_READER, DELEGATION_STANDING, REVOKE_DELEGATION } from '../tokens.js';

type Request<Verb extends keyof typeof commands> = CommandRequest<(typeof commands)[Verb]>;

@Controller()
export class DelegationsResponder {
  constructor(
    @Inject(CREATE_DELEGATION) private readonly createDelegation: MakeDelegation,
    @Inject(REVOKE_DELEGATION) private readonly revokeDelegation: RevokeDelegation,
    @Inject(DELEGATION_READER) private readonly reader: DelegationReader,
    @Inject(DELEGATION_STANDING) private readonly delegationStanding: DelegationStanding,
  ) {}

  @MessagePattern(commands.create_delegation.subject, { command: commands.create_delegation })
  create(@Payload() request: Request<'create_delegation'>, @Ctx() { traceparent }: CommandContext) {
    return this.createDelegation(request, traceparent);
  }

  @MessagePattern(commands.revoke_delegation.subject, { command: commands.revoke_delegation })
  revoke(@Payload() request: Request<'revoke_delegation'>, @Ctx() { traceparent }: CommandContext) {
    return this.revokeDelegation(request, traceparent);
  }

  @MessagePattern(commands.list_delegations.subject, { command: commands.list_delegations })
  list(@Payload() request: Request<'list_delegations'>) {
    return this.reader.list(request);
  }

  @MessagePattern(commands.delegation_standing.subject, { command: commands.delegation_standing })
  standing(@Payload() request: Request<'delegation_standing'>) {
    return this.delegationStanding(request);
  }
}
