import { type CommandRequest, type CommandResponse, gatewayCommands } from '@agentlattice/contracts';
import { replay } from '@agentlattice/event-store';
import { POOL } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type pg from 'pg';

const { replay: replayCommand } = gatewayCommands;

/** The gateway's own events again, for readers that missed some. */
@Controller()
export class GatewayEventsResponder {
  constructor(@Inject(POOL) private readonly pool: pg.Pool) {}

  @MessagePattern(replayCommand.subject, { command: replayCommand })
  replay(
    @Payload() request: CommandRequest<typeof replayCommand>,
  ): Promise<CommandResponse<typeof replayCommand>> {
    return replay(this.pool, 'gateway', request);
  }
}
