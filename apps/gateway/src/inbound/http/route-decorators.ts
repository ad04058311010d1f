import type { Route } from '@agentlattice/contracts';
import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  Header,
  HttpCode,
  RequestMapping,
  RequestMethod,
  SetMetadata,
} from '@nestjs/common';
import type { GatewayRequest } from './http-request.js';
import { type Input, readInput } from './read-input.js';

const routeKey = 'agentlattice:route';

/** The route of a handler; undefined for a handler without one, which the guard refuses. */
export const routeOf = (handler: object): Route | undefined =>
  Reflect.getMetadata(routeKey, handler) as Route | undefined;

/** A route's path in the router's notation. */
export const pathOf = ({ path }: Route): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Makes a method the handler of a route of the contract: path, method, status and media type come from there. */
export function Handles(route: Route): MethodDecorator {
  const [first] = Object.entries(route.responses);
  if (first === undefined) throw new Error(`${route.id} has no answer`);
  const [status, { mediaType }] = first;
  return applyDecorators(
    SetMetadata(routeKey, route),
    RequestMapping({ path: pathOf(route), method: RequestMethod[route.method] }),
    HttpCode(Number(status)),
    ...(mediaType === undefined ? [] : [Header('content-type', `${mediaType}; charset=utf-8`)]),
  );
}

/** The request's parts as the route's schemas read them. */
export const RequestInput = createParamDecorator((_data: unknown, context: ExecutionContext): Input => {
  const route = routeOf(context.getHandler());
  if (route === undefined) throw new Error('a handler without a route');
  return readInput(route, context.switchToHttp().getRequest<GatewayRequest>());
});

/** The caller; set by the guard on every route that is not public. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const { principal } = context.switchToHttp().getRequest<GatewayRequest>();
  if (principal === undefined) throw new Error('a handler of a public route has no caller');
  return principal;
});
