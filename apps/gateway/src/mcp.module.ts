import { mcpMessageSubject } from '@agentlattice/contracts';
import type { Logger } from '@agentlattice/observability';
import { LOGGER, NATS } from '@agentlattice/service';
import { Inject, Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { McpCalls } from './inbound/http/mcp-calls.js';
import { McpMessagesSubscriber } from './inbound/mcp-messages.subscriber.js';
import type { PrincipalDirectory } from './outbound/principal-directory.js';
import { PrincipalsModule } from './principals.module.js';
import { DIRECTORY, MCP_CALLS, MCP_MESSAGES } from './tokens.js';

/** MCP over HTTP: the calls that are being answered, and the messages between gateways about them. */
@Module({
  imports: [PrincipalsModule],
  providers: [
    {
      provide: MCP_CALLS,
      inject: [NATS, DIRECTORY, LOGGER],
      useFactory: (nc: NatsConnection, directory: PrincipalDirectory, logger: Logger) =>
        new McpCalls({
          directory,
          logger,
          send: (message) => nc.publish(mcpMessageSubject, JSON.stringify(message)),
        }),
    },
    {
      provide: MCP_MESSAGES,
      inject: [NATS, MCP_CALLS],
      useFactory: (nc: NatsConnection, calls: McpCalls) =>
        new McpMessagesSubscriber(nc, (message) => void calls.deliver(message)),
    },
  ],
  exports: [MCP_CALLS],
})
export class McpModule implements OnModuleInit, OnModuleDestroy {
  constructor(
    @Inject(MCP_CALLS) private readonly calls: McpCalls,
    @Inject(MCP_MESSAGES) private readonly messages: McpMessagesSubscriber,
  ) {}

  onModuleInit(): Promise<void> {
    return this.messages.start();
  }

  /** Before HTTP closes, because answers that wait for a person would keep it open. */
  onModuleDestroy(): void {
    this.messages.stop();
    this.calls.stop();
  }
}
