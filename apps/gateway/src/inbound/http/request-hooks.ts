import { type Logger, measure, openSpan, recordsMetrics } from '@agentlattice/observability';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { GatewayReply, GatewayRequest } from './http-request.js';

/**
 * Request id and server span in Fastify's hooks: cheaper than the instrumentation package, which takes its time whether a request
 * is sampled or not.
 */
export function addRequestHooks(app: NestFastifyApplication, logger: Logger): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request: GatewayRequest, reply, done) => {
    reply.header('x-request-id', request.id);
    // The route's pattern, never the path, which may contain a person's input.
    const route = request.routeOptions.url ?? 'unmatched';
    request.span = openSpan(`${request.method} ${route}`, {
      kind: 'server',
      headers: request.headers,
      attributes: { 'http.request.method': request.method, 'http.route': route },
    });
    done();
  });
  fastify.addHook('preHandler', (request: GatewayRequest, _reply, done) => {
    if (request.span === undefined) done();
    else request.span.run(done);
  });
  fastify.addHook('onResponse', (request: GatewayRequest, reply, done) => {
    const { statusCode } = reply;
    if (recordsMetrics()) measureRequest(request, reply);
    request.span?.end({
      attributes: { 'http.response.status_code': statusCode },
      ...(statusCode >= 500 && { failure: String(statusCode) }),
    });
    if (logger.isLevelEnabled('debug'))
      logger.debug(
        {
          request_id: request.id,
          method: request.method,
          route: request.routeOptions.url,
          status: reply.statusCode,
          ms: reply.elapsedTime,
        },
        'answered',
      );
    done();
  });
}

const methods: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);

function measureRequest({ method, routeOptions }: GatewayRequest, reply: GatewayReply): void {
  const preference = reply.getHeader('preference-applied');
  measure('http.server.request.duration', reply.elapsedTime / 1_000, {
    'http.request.method': methods.has(method) ? method : '_OTHER',
    'http.route': routeOptions.url ?? 'unmatched',
    'http.response.status_code': reply.statusCode,
    'agentlattice.wait': typeof preference === 'string' && preference.startsWith('wait='),
  });
}
