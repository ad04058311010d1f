import { type AgentLattice, AgentLatticeError, type GateResult, type JsonObject } from '@agentlattice/sdk';

/** A call of a tool as the model asked for it. */
export interface ToolCall {
  /** The model's id of this call. The same id is the same action, however often it is asked for. */
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonObject;
  /** In place of the option `scope`. */
  readonly scope?: string | undefined;
}

export interface GateToolsOptions {
  /** The action type of a tool. Default: `tool.<name>`. */
  readonly actionType?: (tool: string) => string;
  /** The tools that are gated. Default: all. */
  readonly only?: readonly string[];
  /**
   * True: a call that waits for a person ends the run in the framework's own way, and the program resumes it once the request
   * is decided. False (default): the call waits in place.
   */
  readonly pause?: boolean;
  /** What the ids of calls are unique in, such as a conversation. Default: all that the agent does. */
  readonly scope?: string;
  /** How long a call waits in place, in milliseconds; then its request is withdrawn. Default: until the policy's deadline. */
  readonly timeoutMs?: number;
}

/** A call that waits for a person. */
export interface WaitingCall {
  readonly approvalId: string;
  /** When it is denied if nobody decides (RFC 3339). */
  readonly timeoutAt: string;
}

/** The call may not run. The message is the answer that the model reads. */
export class ToolCallRefused extends Error {
  override readonly name = 'ToolCallRefused';

  constructor(
    /** `ACTION_DENIED`, `APPROVAL_TIMEOUT`, `GRANT_CONSUMED`, `PENDING`, … */
    readonly code: string,
    why: string,
    options?: ErrorOptions,
  ) {
    super(`The tool was not run: ${why}`, options);
  }
}

/** With these the system has answered and the answer is no. Everything else is a fault, which the program has to see. */
const refusals: ReadonlySet<string> = new Set([
  ...['ACTION_DENIED', 'APPROVAL_TIMEOUT', 'POLICY_NOT_FOUND', 'IDEMPOTENCY_KEY_REUSED'],
  ...['GRANT_CONSUMED', 'GRANT_EXPIRED', 'GRANT_INVALID', 'ACTION_MISMATCH'],
  ...['AGENT_SUSPENDED', 'DELEGATION_SCOPE', 'POLICY_DENIED'],
]);
const plainly: Readonly<Record<string, string>> = {
  // Whether it ran to its end is not known here; the model must not take it for a call that never ran.
  GRANT_CONSUMED: 'this call was cleared and used before',
  IDEMPOTENCY_KEY_REUSED: 'a call with this id was made before, with other arguments',
};
/** Longest that the server holds an answer, and how soon an answer was not held at all. */
const holdSeconds = 60;
const heldMs = 1_000;

/**
 * Asks the system before a tool runs. Whether a call may run is always the system's own answer to this very call: nothing that
 * a framework keeps or a client sends back counts.
 */
export class ToolGate {
  constructor(
    private readonly al: AgentLattice,
    private readonly options: GateToolsOptions = {},
  ) {}

  covers(tool: string): boolean {
    return this.options.only?.includes(tool) ?? true;
  }

  get pauses(): boolean {
    return this.options.pause ?? false;
  }

  /** Submits the call if it was not yet. @returns the request that waits for a person; undefined once there is a verdict */
  async waiting(call: ToolCall): Promise<WaitingCall | undefined> {
    const action = await this.actionOf(call);
    try {
      const { status, approvalId } = await this.al.execute(action.actionType, action);
      if (status !== 'requested' || approvalId === null) return undefined;
      const now = await this.al.approvalStatus(approvalId);
      const waits = now.status === 'pending' || now.status === 'escalated';
      return waits ? { approvalId, timeoutAt: now.timeoutAt } : undefined;
    } catch (error) {
      // `run` is refused in the same way, and gives the model its answer.
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }

  /** Waits until there is a verdict for a call; the program then resumes the run that paused for it. */
  async decided(call: ToolCall, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const waiting = await this.waiting(call);
    if (waiting !== undefined) await decided(this.al, waiting.approvalId, options);
  }

  /**
   * Runs the tool if this call is cleared, and reports how it went. The grant of an approval is used up directly before, so an
   * approved call runs at most once.
   * @throws ToolCallRefused when it may not run; AgentLatticeError when that cannot be found out; what the tool throws
   */
  async run<T>(
    call: ToolCall,
    tool: () => T | PromiseLike<T>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    const cleared = await answered(() => this.clear(call, signal));
    try {
      const value = await tool();
      await this.report(cleared, { status: 'success' });
      return value;
    } catch (error) {
      const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      await this.report(cleared, { status: 'failure', message: message.slice(0, 4_000) });
      throw error;
    }
  }

  private async clear(call: ToolCall, signal: AbortSignal | undefined): Promise<GateResult> {
    if (this.pauses) {
      const waiting = await this.waiting(call);
      if (waiting !== undefined)
        throw new ToolCallRefused('PENDING', `nobody has decided request ${waiting.approvalId} yet`);
    }
    const { timeoutMs } = this.options;
    const action = await this.actionOf(call);
    const cleared = await this.al.gate(action.actionType, {
      ...action,
      ...(signal === undefined ? {} : { signal }),
      ...(this.pauses || timeoutMs === undefined ? {} : { timeoutMs }),
    });
    const { grant, approvalId, auditEventId } = cleared;
    const claims = await this.al.verifyGrant(grant, { ...action, approvalId, auditEventId });
    signal?.throwIfAborted();
    // Only approvals are for one run: what a policy allows it allows each time.
    if (approvalId !== null) await this.al.consumeGrant(grant, claims.action_digest);
    return cleared;
  }

  private async actionOf({ id, name, arguments: input, scope = this.options.scope ?? '' }: ToolCall) {
    // The id of the call is all that stands in the event id: the same id with other arguments is refused.
    const text = new TextEncoder().encode(JSON.stringify([scope, id]));
    const hash = [...new Uint8Array(await crypto.subtle.digest('SHA-256', text))];
    return {
      actionType: this.options.actionType?.(name) ?? `tool.${name}`,
      metadata: { tool: name, arguments: input },
      eventId: `tool-call:${hash.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`,
    };
  }

  /** The tool has run; a report that does not arrive must not look like a failure of it. */
  private async report({ auditEventId }: GateResult, outcome: Parameters<AgentLattice['report']>[1]) {
    await this.al.report(auditEventId, outcome).catch(() => undefined);
  }
}

/** Waits until a request is decided; the program then resumes the run that paused for it. */
export async function decided(
  al: AgentLattice,
  approvalId: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  for (;;) {
    const begun = Date.now();
    const { status } = await al.approvalStatus(approvalId, { ...options, waitSeconds: holdSeconds });
    if (status !== 'pending' && status !== 'escalated') return;
    if (Date.now() - begun < heldMs) await new Promise((resolve) => setTimeout(resolve, heldMs));
  }
}

/** Turns the system's no into the answer for the model. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new ToolCallRefused(error.code, plainly[error.code] ?? error.message, { cause: error });
  }
}

const isRefusal = (error: unknown): error is AgentLatticeError =>
  error instanceof AgentLatticeError && refusals.has(error.code);
