import type { z } from 'zod';
import type { ServiceName } from '../services.js';

/** A request/reply command or query of one service: `cmd.<service>.<verb>`. */
export interface Command<Request extends z.ZodType = z.ZodType, Response extends z.ZodType = z.ZodType> {
  readonly service: ServiceName;
  readonly verb: string;
  readonly subject: string;
  readonly version: 1;
  /** The services that may send it; NATS refuses it from every other one (nats-permissions.ts). */
  readonly askedBy: readonly ServiceName[];
  /** Whether it may be sent again while no answer comes: sent twice, it has the effect and the answer of once. */
  readonly isIdempotent: boolean;
  readonly request: Request;
  readonly response: Response;
}
export type CommandRequest<C extends Command> = z.infer<C['request']>;
export type CommandResponse<C extends Command> = z.infer<C['response']>;

export const command = <Request extends z.ZodType, Response extends z.ZodType>(
  service: ServiceName,
  verb: string,
  request: Request,
  response: Response,
  askedBy: readonly ServiceName[] = ['gateway'],
): Command<Request, Response> => ({
  service,
  verb,
  subject: `cmd.${service}.${verb}`,
  version: 1,
  askedBy,
  isIdempotent: false,
  request,
  response,
});

/** A command that has the effect and the answer of once when it is sent twice, to any replicas of the service. */
export const idempotentCommand = <Request extends z.ZodType, Response extends z.ZodType>(
  ...declared: Parameters<typeof command<Request, Response>>
): Command<Request, Response> => ({ ...command(...declared), isIdempotent: true });

/** A command that changes nothing, that every replica of the service can answer, and for whose answer somebody waits. */
export const query = idempotentCommand;
