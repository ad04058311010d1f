import { z } from 'zod';
import { actor, instant } from '../primitives.js';

/** An event as `GET /api/v1/events` sends it. References only; texts of people and agents are fetched from the API. */
export const liveEvent = z
  .object({
    event_id: z.string(),
    /** The outgoing type where there is one, otherwise the type of the domain event (decisions §1). */
    type: z.string(),
    org_id: z.string(),
    time: instant(),
    actor: actor.nullable(),
    /** The agent that it concerns; null: none. */
    agent_id: z.string().nullable(),
    acting_for: z.array(z.string()).optional().meta({
      description: 'The agents that this agent acts for, the first one first; missing when it acts for none',
    }),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'LiveEvent' });
export type LiveEvent = z.infer<typeof liveEvent>;
