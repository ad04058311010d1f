import {
  type Command,
  commandError,
  type CommandRequest,
  type CommandResponse,
  parseWith,
  Refused,
  Unavailable,
} from '@agentlattice/contracts';
import { currentTraceparent } from '@agentlattice/observability';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { hedged } from './hedged-request.js';
import { HedgingBudget } from './hedging-budget.js';
import { commandHeaders } from './message-headers.js';

const reply = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), error: commandError }),
]);

export interface RequestOptions {
  readonly timeoutMs?: number;
  readonly traceparent?: string | null;
}

/** Sends commands and queries of the contracts to other services. */
export class CommandClient {
  private readonly hedging = new HedgingBudget(0.2);

  /** @param defaultTimeoutMs how long an answer is waited for when a request does not say so */
  constructor(
    private readonly nc: NatsConnection,
    private readonly defaultTimeoutMs = 2_000,
  ) {}

  /**
   * @returns the answer, checked against the command's schema
   * @throws Refused with the callee's code
   * @throws Unavailable when there is no answer in time, or one that cannot be read
   */
  async request<C extends Command>(
    command: C,
    payload: CommandRequest<C>,
    { timeoutMs = this.defaultTimeoutMs, traceparent = currentTraceparent() }: RequestOptions = {},
  ): Promise<CommandResponse<C>> {
    const answer = parseWith(reply, await this.ask(command, payload, timeoutMs, traceparent));
    if (!answer.success) throw new Unavailable(`${command.service} gave an answer that cannot be read`);
    if (!answer.data.ok) {
      const { code, detail, errors, extra } = answer.data.error;
      if (code === 'UNAVAILABLE') throw new Unavailable(detail);
      throw new Refused(code, detail, { ...(errors && { errors }), ...(extra && { extra }) });
    }
    const result = parseWith(command.response, answer.data.result);
    if (!result.success) throw new Unavailable(`${command.service} answered ${command.verb} in another form`);
    return result.data as CommandResponse<C>;
  }

  /** @throws Unavailable when there is no answer in time */
  private async ask(
    command: Command,
    payload: unknown,
    timeout: number,
    traceparent: string | null,
  ): Promise<unknown> {
    const send = async (timeout: number): Promise<unknown> => {
      const headers = commandHeaders(command.version, traceparent, Date.now() + timeout);
      const message = await this.nc.request(command.subject, JSON.stringify(payload), { timeout, headers });
      return message.json();
    };
    try {
      return await (command.isIdempotent ? hedged(send, timeout, this.hedging) : send(timeout));
    } catch (error) {
      throw new Unavailable(
        `${command.service} does not answer (${error instanceof Error ? error.message : 'unknown'})`,
      );
    }
  }
}
