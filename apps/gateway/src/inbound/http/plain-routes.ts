import type { Route, RouteInput, RouteOutput } from '@agentlattice/contracts';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Principal } from '../../domain/principal.js';
import type { Admission } from './admission.js';
import type { AnswerRelease } from './answer-release.js';
import { pathOf } from './route-decorators.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { type ProblemFilter, sendProblem } from './problem-filter.js';
import { type Input, readInput } from './read-input.js';

type KindOf<C> = C extends 'agent' ? 'agent' : C extends `service${string}` ? 'service' : 'operator';
/** The principals that the callers of a route can be. */
export type CallerOf<R extends Route> = R['callers'] extends readonly (infer C)[]
  ? Extract<Principal, { kind: KindOf<C> }>
  : never;

/** One request to a plain route, admitted and read. */
export interface Call<R extends Route> {
  readonly principal: CallerOf<R>;
  readonly input: RouteInput<R>;
  readonly request: GatewayRequest;
  readonly reply: GatewayReply;
}

/** A route whose requests take the same steps as those of controllers, without Nest's machinery for each of them. */
export interface PlainRoute {
  readonly route: Route;
  readonly handle: (call: {
    principal: Principal;
    input: Input;
    request: GatewayRequest;
    reply: GatewayReply;
  }) => Promise<unknown>;
}

export const plainRoute = <const R extends Route>(
  route: R,
  handle: (call: Call<R>) => Promise<RouteOutput<R>>,
): PlainRoute => ({ route, handle: handle as unknown as PlainRoute['handle'] });

export interface PlainRouteSteps {
  readonly admission: Pick<Admission, 'admit'>;
  readonly answers: Pick<AnswerRelease, 'of'>;
  readonly problems: Pick<ProblemFilter, 'problemFor'>;
}

/** Serves the routes with Fastify alone: admission, input, the work, and the release of its answer. */
export function addPlainRoutes(
  app: NestFastifyApplication,
  routes: readonly PlainRoute[],
  { admission, answers, problems }: PlainRouteSteps,
): void {
  const fastify = app.getHttpAdapter().getInstance();
  for (const { route, handle } of routes) {
    const release = answers.of(route.id);
    fastify.route({
      method: route.method,
      url: pathOf(route),
      errorHandler: (error, request: GatewayRequest, reply) => {
        sendProblem(reply, problems.problemFor(error, request, reply));
      },
      handler: async (request: GatewayRequest, reply) => {
        const principal = await admission.admit(route, request, reply);
        if (principal === undefined) throw new Error('a plain route needs a caller');
        const body = await handle({ principal, input: readInput(route, request), request, reply });
        reply.header('content-type', 'application/json; charset=utf-8');
        return JSON.stringify(release === null ? body : await release(request, body));
      },
    });
  }
}
