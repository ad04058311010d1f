import { errorTable, problemOf, routeList } from '@agentlattice/contracts';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Admission } from './admission.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { mayHave } from './allowed-methods.js';
import { notFound, sendProblem } from './problem-filter.js';

const publicRoutes = new Set(
  routeList.filter(({ callers }) => callers === 'public').map(({ method, path }) => `${method} ${path}`),
);

/**
 * The checks before a body is read: the route exists, the key is known, and its rate limit is not exceeded. The rights of the
 * key are checked afterwards.
 */
export function addBodyHooks(app: NestFastifyApplication, admission: Pick<Admission, 'identify'>): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request: GatewayRequest, reply: GatewayReply, done) => {
    // Also without a body: Fastify refuses a QUERY without one before it looks for the route.
    if (request.is404 || isOfSibling(request)) return sendProblem(reply, notFound(request, reply));
    if (!hasBody(request)) return done();
    if (publicRoutes.has(`${request.method} ${request.routeOptions.url ?? ''}`)) {
      if (isShort(request)) return done();
      return sendProblem(reply, problemOf('BODY_TOO_LARGE', errorTable.BODY_TOO_LARGE.title, request.id));
    }
    admission.identify(request, reply).then(({ orgId }) => {
      request.orgId = orgId;
      done();
    }, done);
  });
}

/** True for a method of `/policies/{policy_id}` at `/policies/check`, which is another path without that method. */
const isOfSibling = ({ method, routeOptions, url }: GatewayRequest): boolean =>
  routeOptions.url?.includes(':') === true && !mayHave(url.split('?')[0] ?? '', method);

/** Anybody can send it, and no workspace has a share for it, so it must be short and say so beforehand. */
const mostPublicBytes = 8 * 1024;
const isShort = ({ headers }: GatewayRequest): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= mostPublicBytes;

const hasBody = ({ headers }: GatewayRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
