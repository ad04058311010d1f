import {
  type Command,
  commandError,
  type CommandRequest,
  type CommandResponse,
  parseWith,
  Refused,
  type ServiceName,
  Unavailable,
} from '@agentlattice/contracts';
import { randomUUID } from 'node:crypto';
import { currentTraceparent } from '@agentlattice/observability';
import type { NatsConnection, RequestOptions as NatsRequestOptions } from '@nats-io/transport-node';
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
  /** By which a service recognises a command that is sent again; default: a new one. */
  readonly commandId?: string;
}

/** Sends commands and queries of the contracts to other services. */
export class CommandClient {
  /** For each service: one that does not answer leaves those of the others alone. */
  private readonly hedging = new Map<ServiceName, HedgingBudget>();

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
    options: RequestOptions = {},
  ): Promise<CommandResponse<C>> {
    const {
      timeoutMs = this.defaultTimeoutMs,
      traceparent = currentTraceparent(),
      commandId = randomUUID(),
    } = options;
    const { version } = command;
    const send = async (timeout: number): Promise<CommandResponse<C>> => {
      const headers = commandHeaders({ version, traceparent, expiresAt: Date.now() + timeout, commandId });
      const answer = parseWith(reply, await this.ask(command, payload, { timeout, headers }));
      if (!answer.success) throw new Unavailable(`${command.service} gave an answer that cannot be read`);
      if (!answer.data.ok) {
        const { code, detail, errors, extra } = answer.data.error;
        if (code === 'UNAVAILABLE') throw new Unavailable(detail);
        throw new Refused(code, detail, { ...(errors && { errors }), ...(extra && { extra }) });
      }
      const result = parseWith(command.response, answer.data.result);
      if (!result.success)
        throw new Unavailable(`${command.service} answered ${command.verb} in another form`);
      return result.data as CommandResponse<C>;
    };
    return command.isIdempotent ? hedged(send, timeoutMs, this.budgetOf(command.service)) : send(timeoutMs);
  }

  private budgetOf(service: ServiceName): HedgingBudget {
    const budget = this.hedging.get(service) ?? new HedgingBudget(0.2);
    this.hedging.set(service, budget);
    return budget;
  }

  /** @throws Unavailable when there is no answer in time */
  private async ask(
    { service, subject }: Command,
    payload: unknown,
    options: NatsRequestOptions,
  ): Promise<unknown> {
    try {
      return (await this.nc.request(subject, JSON.stringify(payload), options)).json();
    } catch (error) {
      throw new Unavailable(
        `${service} does not answer (${error instanceof Error ? error.message : 'unknown'})`,
      );
    }
  }
}
