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
  fastify.addHook('onRequest', async (request: GatewayRequest, reply: GatewayReply) => {
    if (bytesOf(request) === 0) return;
    if (request.is404) {
      sendProblem(reply, notFound(request, reply));
      return reply;
    }
    if (publicRoutes.has(`${request.method} ${request.routeOptions.url ?? ''}`)) return;
    request.orgId = (await callerOf(directory, request)).orgId;
  });
  fastify.addHook('preParsing', async (request: GatewayRequest, reply: GatewayReply, payload) => {
    const bytes = bytesOf(request);
    if (request.orgId === undefined || bytes <= largeBodyBytes || bytes > bodyLimit) return payload;
    const end = await largeBodies.turn(request.orgId, bytes);
    let ended = false;
    request.endLargeBody = () => {
      if (!ended) end();
      ended = true;
    };
    if (reply.raw.destroyed) request.endLargeBody();
    else reply.raw.once('close', request.endLargeBody);
    return payload;
  });
}

/** Of the body, as announced; one that is not announced may be as large as it gets. */
function bytesOf({ headers }: GatewayRequest): number {
  if (headers['transfer-encoding'] !== undefined) return bodyLimit;
  return Number(headers['content-length'] ?? 0);
}
