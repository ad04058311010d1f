import { z } from 'zod';
import { actor, instant } from '../primitives.js';

/** What happened in a workspace, as `GET /api/v1/events` tells it. References only; what people and agents wrote is fetched. */
export const liveEvent = z
  .object({
    event_id: z.string(),
    /** The type that goes out where there is one, else the domain's (decisions §1). */
    type: z.string(),
    org_id: z.string(),
    time: instant(),
    actor: actor.nullable(),
    /** Whom it concerns among the agents; null: none. */
    agent_id: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'LiveEvent' });
export type LiveEvent = z.infer<typeof liveEvent>;
