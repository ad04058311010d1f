import { type CommandRequest, notifierCommands as commands } from '@agentlattice/contracts';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { OutgoingReader } from '../read/outgoing-reader.js';
import { OUTGOING_READER } from '../tokens.js';

@Controller()
export class OutgoingEventsResponder {
  constructor(@Inject(OUTGOING_READER) private readonly reader: OutgoingReader) {}

  @MessagePattern(commands.list_outgoing.subject, { command: commands.list_outgoing })
  list(@Payload() request: CommandRequest<typeof commands.list_outgoing>) {
    return this.reader.list(request);
  }
}
