import { type CommandRequest, type CommandResponse, gatewayCommands, Refused } from '@agentlattice/contracts';
import { erasableValues, replay } from '@agentlattice/event-store';
import { POOL } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type pg from 'pg';
import type { PrincipalStore } from '../outbound/principal-store.js';
import { STORE } from '../tokens.js';

const { replay: replayCommand, erasable_values, agent_standing } = gatewayCommands;

/** Answers other services: replays of the gateway's events, their erasable values, and whether an agent is suspended or one that it acts for. */
@Controller()
export class GatewayEventsResponder {
  constructor(
    @Inject(POOL) private readonly pool: pg.Pool,
    @Inject(STORE) private readonly store: PrincipalStore,
  ) {}

  @MessagePattern(replayCommand.subject, { command: replayCommand })
  replay(
    @Payload() request: CommandRequest<typeof replayCommand>,
  ): Promise<CommandResponse<typeof replayCommand>> {
    return replay(this.pool, 'gateway', request);
  }

  @MessagePattern(erasable_values.subject, { command: erasable_values })
  erasableValues(
    @Payload() request: CommandRequest<typeof erasable_values>,
  ): Promise<CommandResponse<typeof erasable_values>> {
    return erasableValues(this.pool, request);
  }

  @MessagePattern(agent_standing.subject, { command: agent_standing })
  async standing(
    @Payload() { org_id, agent_id }: CommandRequest<typeof agent_standing>,
  ): Promise<CommandResponse<typeof agent_standing>> {
    const standing = await this.store.standing(org_id, agent_id);
    if (standing === null) throw new Refused('NOT_FOUND', 'there is no such agent in this workspace');
    return { suspended: standing.suspended, suspended_by: standing.suspendedBy };
  }
}
