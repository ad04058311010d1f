import { parseWith } from '@agentlattice/contracts';
import { currentTraceparent, inTrace, type Logger } from '@agentlattice/observability';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { z } from 'zod';
import { traceHeaders, traceparentOf } from './message-headers.js';
import { measured, subjectTemplate } from './process-duration.js';

/** The most items and bytes in a message: NATS allows 1 MiB, and one submission may be 256 KiB. */
export const batchLimits = { items: 128, bytes: 512 * 1024 } as const;

/** A result of a batch handler: these items are forwarded to `subject` with the time limit of their batch. */
export class Forward<T = unknown> {
  constructor(
    readonly subject: string,
    readonly items: readonly T[],
  ) {}
}

export interface BatchContext {
  readonly traceparent: string | null;
  /** Epoch milliseconds after which nothing may be written; infinite where the batch does not expire. */
  readonly expiresAt: number;
}
export type BatchHandler<T> = (items: T[], context: BatchContext) => unknown;

/**
 * Publishes items in as few messages as the limits allow. Each item is written as JSON once.
 * @param expiresAt null for answers, which do not expire
 */
export function publishBatches(
  nc: NatsConnection,
  subject: string,
  expiresAt: number | null,
  items: readonly unknown[],
): void {
  let texts: string[] = [];
  let bytes = 0;
  const send = () => {
    if (texts.length > 0) publishBatch(nc, subject, expiresAt, texts);
    texts = [];
    bytes = 0;
  };
  for (const item of items) {
    const text = JSON.stringify(item);
    const size = Buffer.byteLength(text);
    if (texts.length >= batchLimits.items || bytes + size > batchLimits.bytes) send();
    texts.push(text);
    bytes += size;
  }
  send();
}

/** Publishes one message of items that are JSON already. */
export function publishBatch(
  nc: NatsConnection,
  subject: string,
  expiresAt: number | null,
  texts: readonly string[],
): void {
  const limit = expiresAt === null ? '' : `"expires_at":${String(expiresAt)},`;
  nc.publish(subject, `{"v":1,${limit}"items":[${texts.join(',')}]}`, {
    headers: traceHeaders(currentTraceparent()),
  });
}

const envelope = z.object({
  v: z.literal(1),
  expires_at: z.number().int().optional(),
  items: z.array(z.unknown()).min(1).max(512),
});

export interface BatchSubscription<T> {
  readonly subject: string;
  readonly item: z.ZodType<T>;
  /** Undefined: every subscriber gets every batch. */
  readonly queue?: string | undefined;
  readonly handler: BatchHandler<T>;
  readonly logger: Logger;
}

/**
 * The items of a batch belong to several traces, so the batch has no span: the code that handles them records one for each item.
 * Hands over the well-formed items of each batch that has not expired. A bad item is logged and left out: its sender gets no
 * answer and answers 503. Forwarded items are published with the time limit of the batch.
 */
export function subscribeBatches<T>(nc: NatsConnection, options: BatchSubscription<T>): Subscription {
  return nc.subscribe(options.subject, {
    ...(options.queue === undefined ? {} : { queue: options.queue }),
    callback: (error, message) => {
      if (error !== null) options.logger.error({ err: error }, `subscription to ${options.subject}`);
      else void receive(nc, options, message);
    },
  });
}

async function receive<T>(nc: NatsConnection, options: BatchSubscription<T>, message: Msg): Promise<void> {
  const { subject, item, handler, logger } = options;
  try {
    const batch = parseWith(envelope, parse(message));
    if (!batch.success) return void logger.error({ subject }, 'a batch in an unknown form was dropped');
    const { items, expires_at: expiresAt = Number.POSITIVE_INFINITY } = batch.data;
    if (Date.now() >= expiresAt)
      return void logger.warn({ subject, items: items.length }, 'an expired batch was dropped');
    const good: T[] = [];
    for (const candidate of items) {
      const parsed = parseWith(item, candidate);
      if (parsed.success) good.push(parsed.data);
      else
        logger.error({ subject, issues: issuesOf(parsed.error) }, 'an item in an unknown form was dropped');
    }
    if (good.length === 0) return;
    const traceparent = traceparentOf(message);
    await measured(subjectTemplate(subject), () =>
      inTrace(traceparent, async () => {
        const result = await handler(good, { traceparent, expiresAt });
        for (const forward of [result].flat())
          if (forward instanceof Forward)
            publishBatches(nc, forward.subject, Number.isFinite(expiresAt) ? expiresAt : null, forward.items);
      }),
    );
  } catch (error) {
    logger.error({ err: error, subject }, 'a batch failed');
  }
}

function parse(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}

/** Path and message, never the value, which came from outside. */
export const issuesOf = (error: z.ZodError) =>
  error.issues.slice(0, 5).map((issue) => `/${issue.path.map(String).join('/')}: ${issue.code}`);
