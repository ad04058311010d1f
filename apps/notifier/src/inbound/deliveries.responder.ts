import { type CommandRequest, notifierCommands as commands } from '@agentlattice/contracts';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Redeliver } from '../application/redeliver.js';
import type { DeliveryReader } from '../read/delivery-reader.js';
import { DELIVERY_READER, REDELIVER } from '../tokens.js';

@Controller()
export class DeliveriesResponder {
  constructor(
    @Inject(DELIVERY_READER) private readonly reader: DeliveryReader,
    @Inject(REDELIVER) private readonly redeliver: Redeliver,
  ) {}

  @MessagePattern(commands.list_deliveries.subject, { command: commands.list_deliveries })
  list(@Payload() request: CommandRequest<typeof commands.list_deliveries>) {
    return this.reader.list(request);
  }

  @MessagePattern(commands.redeliver.subject, { command: commands.redeliver })
  sendAgain(@Payload() request: CommandRequest<typeof commands.redeliver>) {
    return this.redeliver(request);
  }
}
