import {
  type Command,
  type CommandError,
  parseWith,
  Refused,
  type ServiceName,
} from '@agentlattice/contracts';
import { inSpan, type Logger } from '@agentlattice/observability';
import { Catch, type ExceptionFilter } from '@nestjs/common';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { isObservable, lastValueFrom, type Observable, throwError } from 'rxjs';
import type { z } from 'zod';
import { type BatchContext, subscribeBatches } from './batches.js';
import { isBackendAway } from './is-backend-away.js';
import { commandIdOf, isExpired, traceparentOf, versionHeader } from './message-headers.js';
import { measured } from './process-duration.js';

/** What a handler of a single command gets in addition to the payload. */
export interface CommandContext {
  readonly traceparent: string | null;
  /** Of one command, also when it is sent again. */
  readonly commandId: string | undefined;
}

/** Third argument of `@MessagePattern(subject, extras)`: the kind of messages on the subject. */
export type HandlerExtras =
  | {
      readonly command: Command;
      readonly batch?: never;
      /** Its answer is in memory: it is given while the database is away. */
      readonly withoutDatabase?: true;
    }
  | { readonly batch: z.ZodType; readonly command?: never };

/** Passes errors of handlers to the transport unchanged; Nest's own filter would replace it by a string. */
@Catch()
export class PassExceptions implements ExceptionFilter {
  catch(exception: unknown): Observable<never> {
    return throwError(() => exception);
  }
}

/**
 * Nest's handlers on NATS: `@MessagePattern(command.subject, { command })` answers one request at a time,
 * `@MessagePattern(subject, { batch: itemSchema })` gets the items of a batch and may return a `Forward` or several.
 */
export class NatsBatchServer extends Server implements CustomTransportStrategy {
  private readonly subscriptions: Subscription[] = [];
  /** Those of commands that need the database, while it answers. */
  private readonly suspendable = new Map<Subscription, () => Subscription>();
  private isSuspended = false;
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    private readonly nc: NatsConnection,
    private readonly options: { service: ServiceName; logger: Logger },
  ) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    this.subscribeAll().then(() => callback(), callback);
  }

  /** Stops taking messages and finishes the received ones. The connection stays open: its owner closes it. */
  async close(): Promise<void> {
    const open = this.nc.isClosed() ? [] : [...this.subscriptions.splice(0), ...this.suspendable.keys()];
    this.suspendable.clear();
    await Promise.all(
      // Those that were suspended are drained already.
      open.filter((one) => !one.isClosed() && !one.isDraining()).map((subscription) => subscription.drain()),
    );
    await Promise.allSettled(this.running);
  }

  /**
   * Takes no more commands that need the database, so that other replicas get them; without one the caller learns at once that nobody
   * answers. Those that have arrived are refused. Batches have no answer of the server for that case: their handlers refuse.
   */
  suspend(): void {
    if (this.isSuspended) return;
    this.isSuspended = true;
    this.options.logger.warn({ commands: this.suspendable.size }, 'commands are left to other replicas');
    for (const subscription of this.suspendable.keys()) if (!this.nc.isClosed()) void subscription.drain();
  }

  /** Takes commands again. */
  resume(): void {
    if (!this.isSuspended) return;
    this.isSuspended = false;
    const again = [...this.suspendable.values()];
    this.suspendable.clear();
    if (this.nc.isClosed()) return;
    for (const subscribe of again) this.suspendable.set(subscribe(), subscribe);
    this.options.logger.info({ commands: again.length }, 'commands are taken again');
  }

  on(): never {
    throw new Error('this transport has no events');
  }

  unwrap<T>(): T {
    return this.nc as T;
  }

  private async subscribeAll(): Promise<void> {
    for (const [subject, handler] of this.messageHandlers) {
      const extras = (handler.extras ?? {}) as Partial<HandlerExtras>;
      if (extras.batch !== undefined)
        this.subscriptions.push(this.subscribeBatch(subject, extras.batch, handler));
      else if (extras.command === undefined)
        throw new Error(`the handler of ${subject} names neither command nor batch`);
      else if (extras.withoutDatabase === true)
        this.subscriptions.push(this.subscribeCommand(extras.command, handler));
      else this.subscribeSuspendable(extras.command, handler);
    }
    // The server must know the subscriptions before the service is ready.
    await this.nc.flush();
  }

  private subscribeBatch(subject: string, item: z.ZodType, handler: MessageHandler): Subscription {
    const { logger, service } = this.options;
    return subscribeBatches(this.nc, {
      subject,
      item,
      queue: service,
      logger,
      handler: (items, context: BatchContext) => this.settle(handler(items, context)),
    });
  }

  private subscribeSuspendable(command: Command, handler: MessageHandler): void {
    const subscribe = () =>
      this.subscribeCommand(command, handler, () =>
        this.isSuspended ? `the database of the ${this.options.service} does not answer` : null,
      );
    this.suspendable.set(subscribe(), subscribe);
  }

  private subscribeCommand(
    command: Command,
    handler: MessageHandler,
    refusal?: () => string | null,
  ): Subscription {
    const { logger, service } = this.options;
    return respondTo(this.nc, {
      command,
      queue: service,
      logger,
      handler: (payload, context) => this.settle(handler(payload, context)),
      ...(refusal && { refusal }),
    });
  }

  private async settle(outcome: unknown): Promise<unknown> {
    const running = Promise.resolve(outcome).then((value) =>
      isObservable(value) ? lastValueFrom(value, { defaultValue: undefined }) : value,
    );
    this.running.add(running);
    try {
      return await running;
    } finally {
      this.running.delete(running);
    }
  }
}

export interface Responder {
  readonly command: Command;
  readonly queue: string;
  readonly logger: Logger;
  readonly handler: (payload: unknown, context: CommandContext) => unknown;
  /** Why nothing can be answered at the moment; null: it can. */
  readonly refusal?: () => string | null;
}

/** Answers one command outside of Nest. */
export function respondTo(nc: NatsConnection, responder: Responder): Subscription {
  const { command, queue, logger } = responder;
  return nc.subscribe(command.subject, {
    queue,
    callback: (error, message) => {
      if (error !== null) return void logger.error({ err: error }, `subscription to ${command.subject}`);
      void answerOf(responder, message).then((answer) => respond(message, answer, responder));
    },
  });
}

function respond(message: Msg, answer: unknown, { command, logger }: Responder): void {
  try {
    message.respond(JSON.stringify(answer));
  } catch (error) {
    logger.error({ err: error, subject: command.subject }, 'an answer could not be sent');
  }
}

async function answerOf({ command, handler, logger, refusal: unavailable }: Responder, message: Msg) {
  const traceparent = traceparentOf(message);
  const version = message.headers?.get(versionHeader);
  if (version !== String(command.version))
    return refusal({
      code: 'UNSUPPORTED_VERSION',
      detail: `${command.subject} is not spoken in version ${version || 'none'}`,
    });
  // It was delayed and its caller has got 503: a decision must not take effect long after that.
  if (isExpired(message)) {
    logger.warn({ subject: command.subject }, 'a command arrived after its time limit and is dropped');
    return refusal({ code: 'UNAVAILABLE', detail: 'the command came too late' });
  }
  const reason = unavailable?.() ?? null;
  if (reason !== null) return refusal({ code: 'UNAVAILABLE', detail: reason });
  try {
    const payload = parseWith(command.request, message.json());
    if (!payload.success)
      return refusal({
        code: 'VALIDATION_FAILED',
        detail: 'the command does not have the right form',
        errors: payload.error.issues.map((i) => ({
          pointer: `/${i.path.map(String).join('/')}`,
          detail: i.message,
        })),
      });
    const result = await measured(command.subject, () =>
      inSpan(command.subject, { traceparent, kind: 'server' }, () =>
        handler(payload.data, { traceparent, commandId: commandIdOf(message) }),
      ),
    );
    return { ok: true, result };
  } catch (error) {
    if (error instanceof Refused) {
      const { code, detail, errors, extra } = error;
      return refusal({ code, detail, ...(errors && { errors: [...errors] }), ...(extra && { extra }) });
    }
    if (isBackendAway(error)) {
      logger.warn({ err: error, subject: command.subject }, 'a command failed for an unexpected reason');
      return refusal({
        code: 'UNAVAILABLE',
        detail: `a server that ${command.service} needs does not answer`,
      });
    }
    logger.error({ err: error, subject: command.subject }, 'a command failed');
    return refusal({ code: 'INTERNAL', detail: 'something went wrong on our side' });
  }
}

const refusal = (error: CommandError) => ({ ok: false, error });
