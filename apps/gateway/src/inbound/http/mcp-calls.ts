import { mcpEndpoint, type McpMessage, Unavailable } from '@agentlattice/contracts';
import type { Logger } from '@agentlattice/observability';
import { mayCall, type Principal } from '../../domain/principal.js';
import type { PrincipalDirectory } from '../../outbound/principal-directory.js';

/** A request of an MCP client whose answer has not ended. */
export interface McpCall {
  /** Names the session and its key. */
  readonly owner: string;
  readonly keyHash: string;
  readonly principal: Principal;
  /** Takes a message of the client that belongs to it. @returns whether it does */
  readonly receive: (message: McpMessage['message']) => boolean;
  /** Ends it at once with an error that says why. */
  readonly end: (why: string) => void;
}

export interface McpCallsPorts {
  readonly directory: Pick<PrincipalDirectory, 'findByHash'>;
  /** To the other gateways. */
  readonly send: (message: McpMessage) => void;
  readonly logger: Logger;
}

/** A call takes a few kilobytes while a person reads a question. */
const limits = { perWorkspace: 200, ofPrograms: 160, inAll: 2_000 } as const;
/** A revoked key is worth nothing after a second. */
const checkKeysEveryMs = 250;

/**
 * The MCP calls that this gateway is answering. What a client sends for one of them (the person's answer to a question, a
 * cancelling) may reach another gateway, which passes it on.
 */
export class McpCalls {
  private readonly open = new Set<McpCall>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly ports: McpCallsPorts) {}

  /** @returns what ends the membership. @throws Unavailable */
  add(call: McpCall): () => void {
    if (this.stopped) throw new Unavailable('this gateway is being stopped');
    const { orgId } = call.principal;
    const ofWorkspace = [...this.open].filter(({ principal }) => principal.orgId === orgId);
    // Agents that wait must not keep people from deciding.
    const ofPrograms = ofWorkspace.filter(isProgram).length;
    if (
      ofWorkspace.length >= limits.perWorkspace ||
      (isProgram(call) && ofPrograms >= limits.ofPrograms) ||
      this.open.size >= limits.inAll
    )
      throw new Unavailable('too many MCP calls are being answered already');
    this.open.add(call);
    this.timer ??= setInterval(() => void this.checkKeys(), checkKeysEveryMs).unref();
    return () => {
      this.open.delete(call);
      if (this.open.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  /** A message of a client, for the call that it belongs to at whichever gateway. */
  pass(message: McpMessage): void {
    if (!this.deliver(message)) this.ports.send(message);
  }

  /** @returns whether a call of this gateway took it */
  deliver({ owner, message }: McpMessage): boolean {
    return [...this.open].some((call) => call.owner === owner && call.receive(message));
  }

  stop(): void {
    this.stopped = true;
    for (const { end } of [...this.open]) end('this gateway is being stopped; call again');
  }

  private async checkKeys(): Promise<void> {
    for (const call of [...this.open]) {
      try {
        const now = await this.ports.directory.findByHash(call.keyHash);
        if (!isStill(now, call.principal)) call.end('the key is unknown, expired or revoked');
      } catch (error) {
        // Calls of the API are refused meanwhile, so nothing more is sent or decided.
        this.ports.logger.debug({ err: error }, 'the keys of MCP calls cannot be checked');
      }
    }
  }
}

const isProgram = ({ principal }: McpCall) => principal.kind !== 'operator';

const isStill = (now: Principal | undefined, before: Principal): boolean =>
  now !== undefined &&
  now.orgId === before.orgId &&
  now.kind === before.kind &&
  mcpEndpoint.callers !== 'public' &&
  mayCall(now, mcpEndpoint.callers);
