import type { Logger } from '@agentlattice/observability';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { GatewayRequest } from './http-request.js';

/**
 * Request id and server span by hand in Fastify's hooks: cheaper than instrumentation, which costs its time whether a
 * request is sampled or not.
 */
export function addRequestHooks(app: NestFastifyApplication, logger: Logger): void {
  const fastify = app.getHttpAdapter().getInstance();
  const tracer = trace.getTracer('agentlattice');
  fastify.addHook('onRequest', (request: GatewayRequest, reply, done) => {
    reply.header('x-request-id', request.id);
    // The route's pattern, never the path: a path may hold what somebody typed.
    const route = request.routeOptions.url ?? 'unmatched';
    const parent = propagation.extract(context.active(), request.headers);
    const attributes = { 'http.request.method': request.method, 'http.route': route };
    request.span = tracer.startSpan(
      `${request.method} ${route}`,
      { kind: SpanKind.SERVER, attributes },
      parent,
    );
    done();
  });
  fastify.addHook('preHandler', (request: GatewayRequest, _reply, done) => {
    if (request.span === undefined) return done();
    context.with(trace.setSpan(context.active(), request.span), done);
  });
  fastify.addHook('onResponse', (request: GatewayRequest, reply, done) => {
    const { span } = request;
    if (span !== undefined) {
      span.setAttribute('http.response.status_code', reply.statusCode);
      if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    }
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
