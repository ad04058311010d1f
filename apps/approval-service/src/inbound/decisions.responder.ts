import { approvalServiceCommands as commands, type CommandRequest } from '@agentlattice/contracts';
import { erasableValues } from '@agentlattice/event-store';
import type { CommandContext } from '@agentlattice/messaging';
import { type GrantSigner, POOL } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type pg from 'pg';
import type { ConsumeGrantOnce } from '../application/consume-grant.js';
import type { DecideApprovals } from '../application/decide-approvals.js';
import { CONSUME_GRANT, DECIDE_APPROVALS, GRANTS } from '../tokens.js';

type Request<Verb extends keyof typeof commands> = CommandRequest<(typeof commands)[Verb]>;

/** Commands that decide and cancel requests and consume grants, and related queries. */
@Controller()
export class DecisionsResponder {
  constructor(
    @Inject(DECIDE_APPROVALS) private readonly decide: DecideApprovals,
    @Inject(CONSUME_GRANT) private readonly consume: ConsumeGrantOnce,
    @Inject(GRANTS) private readonly grants: GrantSigner,
    @Inject(POOL) private readonly pool: pg.Pool,
  ) {}

  @MessagePattern(commands.approve.subject, { command: commands.approve })
  approve(@Payload() request: Request<'approve'>, @Ctx() context: CommandContext) {
    return this.decide.approve(request, context);
  }

  @MessagePattern(commands.deny.subject, { command: commands.deny })
  deny(@Payload() request: Request<'deny'>, @Ctx() context: CommandContext) {
    return this.decide.deny(request, context);
  }

  @MessagePattern(commands.withdraw_vote.subject, { command: commands.withdraw_vote })
  withdraw(@Payload() request: Request<'withdraw_vote'>, @Ctx() context: CommandContext) {
    return this.decide.withdrawVote(request, context);
  }

  @MessagePattern(commands.cancel.subject, { command: commands.cancel })
  cancel(@Payload() request: Request<'cancel'>, @Ctx() context: CommandContext) {
    return this.decide.cancel(request, context);
  }

  @MessagePattern(commands.consume_grant.subject, { command: commands.consume_grant })
  consumeGrant(@Payload() request: Request<'consume_grant'>, @Ctx() { traceparent }: CommandContext) {
    return this.consume(request, traceparent);
  }

  @MessagePattern(commands.erasable_values.subject, { command: commands.erasable_values })
  erasableValues(@Payload() request: Request<'erasable_values'>) {
    return erasableValues(this.pool, request);
  }

  @MessagePattern(commands.jwks.subject, { command: commands.jwks, withoutDatabase: true })
  jwks() {
    return { keys: [...this.grants.jwks] };
  }
}
