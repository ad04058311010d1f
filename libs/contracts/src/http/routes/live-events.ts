import { z } from 'zod';
import { ok, route } from '../route.js';

/** One event of the stream (WHATWG HTML, server-sent events). */
const serverSentEvent = z
  .object({
    id: z.string().meta({ description: '`<stream incarnation>.<sequence>`' }),
    event: z.string().meta({ description: 'The type of the live event, or `heartbeat`, or `reset`' }),
    data: z.string().meta({ description: 'JSON: a LiveEvent; of a heartbeat `{"time"}`; of a reset `{}`' }),
  })
  .meta({ id: 'ServerSentEvent' });

export const liveEventRoutes = {
  liveEvents: route({
    id: 'liveEvents',
    method: 'GET',
    path: '/api/v1/events',
    tag: 'Live events',
    summary: 'Events of the workspace as they happen',
    description:
      'Server-sent events. Each has an id `<stream incarnation>.<sequence>`, its type as the name, and a LiveEvent as JSON. An operator gets all events of the workspace, an agent those that concern it. With Last-Event-ID the stream continues after that event, without loss or repetition, for 72 hours; where that is not possible it begins with the event `reset`: fetch the state again. The event `heartbeat` has the time of the server, at once and every 15 s. The connection of a client that reads too slowly is closed; the client may resume by its last id.',
    callers: ['agent', 'operator:viewer'],
    headers: z.object({
      'last-event-id': z
        .string()
        .max(64)
        .optional()
        .meta({ description: 'Id of the last event that was received' }),
    }),
    query: z.object({
      types: z
        .string()
        .max(2_000)
        .regex(/^[a-z_.]+(,[a-z_.]+)*$/)
        .optional()
        .meta({ description: 'Only these types, separated by commas' }),
    }),
    responses: { 200: { ...ok(serverSentEvent, 'Events, as they happen'), mediaType: 'text/event-stream' } },
  }),
} as const;
