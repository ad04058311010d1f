import { Unavailable } from '@agentlattice/contracts';
import type { CommandHandlers } from './active-writer.js';

/** More submissions than that are not kept: the gateways answer them with 503 when their time is over. */
const mostHeld = 20_000;

/** Commands that arrive while one writer hands over to the next one: they wait for it, in their order. */
export class HeldCommands implements CommandHandlers {
  private readonly writer = Promise.withResolvers<CommandHandlers>();
  private held = 0;

  constructor() {
    // Those who wait are told; where nobody waits there is nothing to tell.
    this.writer.promise.catch(() => {});
  }

  /** The writer that carries them out, and all further ones. */
  passTo(writer: CommandHandlers): void {
    this.writer.resolve(writer);
  }

  refuse(): void {
    this.writer.reject(new Unavailable('the audit ledger does not write'));
  }

  submissions(items: Parameters<CommandHandlers['submissions']>[0], expiresAt: number): void {
    if (this.held + items.length > mostHeld) return;
    this.held += items.length;
    this.writer.promise.then(
      (writer) => {
        this.held -= items.length;
        writer.submissions(items, expiresAt);
      },
      // Their gateways answer 503 when the time of the submissions is over.
      () => {},
    );
  }

  async report(...[request]: Parameters<CommandHandlers['report']>): ReturnType<CommandHandlers['report']> {
    return (await this.writer.promise).report(request);
  }

  async approvalEvents(...[request]: Parameters<CommandHandlers['approvalEvents']>): Promise<void> {
    await (await this.writer.promise).approvalEvents(request);
  }

  heartbeatWanted(): void {
    this.writer.promise.then(
      (writer) => writer.heartbeatWanted(),
      () => {},
    );
  }
}
