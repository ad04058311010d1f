import { routes } from '@agentlattice/contracts';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Admission } from './admission.js';
import { pathOf } from './route-decorators.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { beginEventStream, eventStreamOn, type LiveEventStreams } from './live-event-streams.js';
import { type ProblemFilter, sendProblem } from './problem-filter.js';
import { readInput } from './read-input.js';

/** The route of this file; it needs an answer without an end, which no other route has. */
export const liveEventRoute = routes.liveEvents;

export interface LiveEventRouteSteps {
  readonly admission: Pick<Admission, 'admit'>;
  readonly streams: LiveEventStreams;
  readonly problems: Pick<ProblemFilter, 'problemFor'>;
}

/** Live events as server-sent events: admitted and read like any request, then an answer without an end. */
export function addLiveEventRoutes(
  app: NestFastifyApplication,
  { admission, streams, problems }: LiveEventRouteSteps,
): void {
  const route = liveEventRoute;
  app
    .getHttpAdapter()
    .getInstance()
    .route({
      method: route.method,
      url: pathOf(route),
      errorHandler: (error, request: GatewayRequest, reply) => {
        sendProblem(reply, problems.problemFor(error, request, reply));
      },
      handler: async (request: GatewayRequest, reply: GatewayReply) => {
        const principal = await admission.admit(route, request, reply);
        const { keyHash } = request;
        if (principal === undefined || keyHash === undefined || keyHash === null)
          throw new Error('live events need a caller');
        if (request.method === 'HEAD') return reply.type('text/event-stream').send();
        const { headers, query } = readInput(route, request) as {
          headers: { 'last-event-id'?: string };
          query: { types?: string };
        };
        // The answer begins with the first event that is sent; until then it can be an error.
        let begun = false;
        const stream = eventStreamOn(reply);
        const afterBegin =
          <A extends unknown[]>(act: (...args: A) => void) =>
          (...args: A) => {
            if (!begun) beginEventStream(request, reply);
            begun = true;
            act(...args);
          };
        try {
          const leave = await streams.listen(
            { route, keyHash, principal },
            {
              send: afterBegin(stream.send),
              whenWritable: stream.whenWritable,
              reset: afterBegin(stream.reset),
              heartbeat: afterBegin(stream.heartbeat),
              end: afterBegin(stream.end),
            },
            {
              lastEventId: headers['last-event-id'],
              types: query.types === undefined ? null : new Set(query.types.split(',')),
            },
          );
          reply.raw.once('close', leave);
          if (reply.raw.destroyed) leave();
        } catch (error) {
          if (!begun) throw error;
          reply.raw.destroy();
        }
      },
    });
}
