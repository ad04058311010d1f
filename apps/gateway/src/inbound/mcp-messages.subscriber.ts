import { type McpMessage, mcpMessage, mcpMessageSubject, parseWith } from '@agentlattice/contracts';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';

/** Messages of MCP clients that reached another gateway than the one that holds their call. */
export class McpMessagesSubscriber {
  private subscription: Subscription | undefined;

  constructor(
    private readonly nc: NatsConnection,
    private readonly deliver: (message: McpMessage) => void,
  ) {}

  async start(): Promise<void> {
    this.subscription = this.nc.subscribe(mcpMessageSubject, {
      callback: (error, message) => {
        const read = error === null ? readMessage(message) : undefined;
        if (read !== undefined) this.deliver(read);
      },
    });
    await this.nc.flush();
  }

  stop(): void {
    this.subscription?.unsubscribe();
  }
}

/** Undefined for a message that cannot be read. */
function readMessage(message: Msg): McpMessage | undefined {
  try {
    const read = parseWith(mcpMessage, message.json());
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
