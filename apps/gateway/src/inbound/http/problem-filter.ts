import {
  errorTable,
  type ErrorCode,
  isErrorCode,
  type Problem,
  problemMediaType,
  problemOf,
  Refused,
} from '@agentlattice/contracts';
import { isBackendAway } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { allowedMethods } from './allowed-methods.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';

/** The codes of requests that Fastify or Nest refuse themselves, by their status. */
const refusedStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'BAD_REQUEST',
  408: 'REQUEST_TIMEOUT',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  431: 'HEADERS_TOO_LARGE',
};

const retryAfterSeconds = '1';

/** Sends a problem, with the headers that belong to its status. */
export function sendProblem(reply: GatewayReply, problem: Problem): void {
  if (problem.status === 503 && !reply.hasHeader('retry-after'))
    reply.header('retry-after', retryAfterSeconds);
  const { retry_after_seconds: seconds } = problem;
  if (problem.status === 429 && typeof seconds === 'number') reply.header('retry-after', String(seconds));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="agentlattice"');
  reply.status(problem.status).header('content-type', problemMediaType).send(JSON.stringify(problem));
}

/** Turns an error into a problem; an unexpected error is logged and answered without its details. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<GatewayRequest>();
    const reply = http.getResponse<GatewayReply>();
    if (reply.sent) return;
    sendProblem(reply, this.problemFor(exception, request, reply));
  }

  problemFor(exception: unknown, request: GatewayRequest, reply: GatewayReply): Problem {
    if (exception instanceof Refused) {
      const code = isErrorCode(exception.code) ? exception.code : 'INTERNAL';
      if (code === 'INTERNAL')
        this.logger.error({ err: exception, request_id: request.id }, 'a refusal without a row in the table');
      const { errors, extra } = exception;
      const detail = code === 'INTERNAL' ? errorTable.INTERNAL.title : exception.detail;
      return problemOf(code, detail, request.id, { errors, extra });
    }
    const status = statusOf(exception);
    if (status === 404) return notFound(request, reply);
    const known = refusedStatus[status];
    if (known !== undefined) return problemOf(known, errorTable[known].title, request.id);
    if (isBackendAway(exception)) {
      this.logger.warn({ err: exception, request_id: request.id }, 'the database does not answer');
      return problemOf('UNAVAILABLE', 'the database does not answer', request.id);
    }
    this.logger.error({ err: exception, request_id: request.id }, 'a request failed');
    return problemOf('INTERNAL', errorTable.INTERNAL.title, request.id);
  }
}

/** 405 where the path exists with another method, else 404. */
export function notFound(request: GatewayRequest, reply: GatewayReply): Problem {
  const path = request.url.split('?')[0] ?? '';
  const allowed = allowedMethods(path);
  if (allowed.length === 0 || allowed.includes(request.method))
    return problemOf('ROUTE_NOT_FOUND', `there is no route ${request.method} ${path}`, request.id);
  reply.header('allow', allowed.join(', '));
  return problemOf('METHOD_NOT_ALLOWED', `${path} has ${allowed.join(', ')}`, request.id);
}

/** 0 for an error without a status. */
function statusOf(exception: unknown): number {
  if (exception instanceof HttpException) return exception.getStatus();
  const named = exception instanceof Error && 'statusCode' in exception ? exception.statusCode : 0;
  return typeof named === 'number' ? named : 0;
}
