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
        // Events that come while the listener catches up are held, because the answer must begin before them.
        const early: (() => void)[] = [];
        let begun = false;
        const stream = eventStreamOn(reply);
        const inOrder =
          <A extends unknown[]>(act: (...args: A) => void) =>
          (...args: A) => {
            if (begun) act(...args);
            else early.push(() => act(...args));
          };
        const leave = await streams.listen(
          { route, keyHash, principal },
          {
            send: inOrder(stream.send),
            reset: inOrder(stream.reset),
            heartbeat: inOrder(stream.heartbeat),
            end: inOrder(stream.end),
          },
          {
            lastEventId: headers['last-event-id'],
            types: query.types === undefined ? null : new Set(query.types.split(',')),
          },
        );
        reply.raw.once('close', leave);
        if (reply.raw.destroyed) leave();
        beginEventStream(request, reply);
        begun = true;
        for (const act of early) act();
      },
    });
}
