import { routeList } from '@agentlattice/contracts';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { PrincipalDirectory } from '../../outbound/principal-directory.js';
import { callerOf } from './caller-of.js';
import { bodyLimit } from './gateway-adapter.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { LargeBodies, largeBodyBytes } from './large-bodies.js';
import { notFound, sendProblem } from './problem-filter.js';

const publicRoutes = new Set(
  routeList.filter(({ callers }) => callers === 'public').map(({ method, path }) => `${method} ${path}`),
);

/**
 * What is settled before a body is read: that the route exists, that the key is known, and that the workspace has room for
 * another large one. The guard still decides what the key may do.
 */
export function addBodyHooks(app: NestFastifyApplication, directory: PrincipalDirectory): void {
  const fastify = app.getHttpAdapter().getInstance();
  const largeBodies = new LargeBodies();
  fastify.addHook('onRequest', (request: GatewayRequest, reply: GatewayReply, done) => {
    if (bytesOf(request) === 0) return done();
    if (request.is404) return sendProblem(reply, notFound(request, reply));
    if (publicRoutes.has(`${request.method} ${request.routeOptions.url ?? ''}`)) return done();
    callerOf(directory, request).then(({ orgId }) => {
      request.orgId = orgId;
      done();
    }, done);
  });
  fastify.addHook('preParsing', (request: GatewayRequest, reply: GatewayReply, payload, done) => {
    const bytes = bytesOf(request);
    if (request.orgId === undefined || bytes <= largeBodyBytes || bytes > bodyLimit)
      return done(null, payload);
    largeBodies.turn(request.orgId, bytes).then((largeBody) => {
      request.largeBody = largeBody;
      if (reply.raw.destroyed) largeBody.end();
      else reply.raw.once('close', largeBody.end);
      done(null, payload);
    }, done);
  });
}

/** Of the body, as announced; one that is not announced may be as large as it gets. */
function bytesOf({ headers }: GatewayRequest): number {
  if (headers['transfer-encoding'] !== undefined) return bodyLimit;
  return Number(headers['content-length'] ?? 0);
}
