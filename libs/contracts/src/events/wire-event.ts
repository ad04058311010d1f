import { z } from 'zod';
import { actor, instant, traceparent } from '../primitives.js';
import { serviceNames } from '../services.js';

/** The envelope of an event between services. `gpos` counts per service, `source_seq` per workspace and service; both are gapless. */
export const wireEvent = z.object({
  event_id: z.string().min(1).max(90),
  type: z.string().regex(/^[a-z_]+\.[a-z_]+$/),
  schema_version: z.number().int().min(1),
  source: z.enum(serviceNames),
  gpos: z.number().int().min(1),
  source_seq: z.number().int().min(1),
  org_id: z.string().regex(/^org_/),
  stream_id: z.string(),
  version: z.number().int().min(1),
  occurred_at: instant(),
  correlation_id: z.string().nullable(),
  traceparent: traceparent().nullable(),
  actor: actor.nullable(),
  data: z.record(z.string(), z.unknown()),
});
export type WireEvent = z.infer<typeof wireEvent>;

/** One JetStream message: consecutive events of one subject, at most 128 of them and 256 KiB. */
export const wireEventMessage = z.object({ events: z.array(wireEvent).min(1).max(128) });
export type WireEventMessage = z.infer<typeof wireEventMessage>;
