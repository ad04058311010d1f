import { errorTable, problemMediaType, problemOf } from '@agentlattice/contracts';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { typeid } from 'typeid-js';
import type { GatewayRequest } from './http-request.js';
import { bodyLimit, RequestBodies } from './request-bodies.js';
import { securityHeaders } from './security-headers.js';

const newRequestId = () => typeid('req').toString();
const sentRequestId = /^[A-Za-z0-9._:-]{1,128}$/;

/** Fastify with our body parser, and with problems for requests that never reach Nest. */
export class GatewayAdapter extends FastifyAdapter {
  /** @param trustedProxies proxies whose X-Forwarded-For is believed */
  constructor(
    private readonly bodies = new RequestBodies(),
    trustedProxies: readonly string[] = [],
  ) {
    super({
      bodyLimit,
      // Otherwise any client could name another address, and with it pass the limit of sign-ins.
      trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
      // As long as a header line: the schema of the route limits the identifier, after the key was checked.
      routerOptions: { maxParamLength: 16_384 },
      forceCloseConnections: 'idle',
      // Requests that arrive while we close are answered like any other.
      return503OnClosing: false,
      requestTimeout: 30_000,
      // Node checks for late requests once an interval, and takes the longer of the two times for the whole request.
      http: { headersTimeout: 30_000, connectionsCheckingInterval: 2_000 },
      genReqId: ({ headers }: { headers: Record<string, unknown> }) => {
        const sent = headers['x-request-id'];
        return typeof sent === 'string' && sentRequestId.test(sent) ? sent : newRequestId();
      },
      clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => answerBadRequest(error, socket),
      frameworkErrors: (_error: Error, request: FastifyRequest, reply: FastifyReply) => {
        reply
          .status(400)
          .headers(securityHeaders)
          .header('x-request-id', request.id)
          .header('content-type', problemMediaType)
          .send(JSON.stringify(problemOf('BAD_REQUEST', 'the URL cannot be read', request.id)));
      },
    });
  }

  /** Accepts JSON only, and checks it for values that JSON programs disagree about. */
  override registerParserMiddleware(): void {
    const fastify = this.getInstance();
    fastify.removeAllContentTypeParsers();
    fastify.addHook('onRequest', (request: GatewayRequest, reply, done) => {
      if (request.method !== 'GET') this.bodies.watch(request, reply);
      done();
    });
    fastify.addHook('preParsing', (request: GatewayRequest, _reply, payload, done) => {
      try {
        this.bodies.receive(request, payload);
      } catch (error) {
        return done(error as Error);
      }
      done(null, payload);
    });
    fastify.addContentTypeParser(
      // UTF-8 only (RFC 8259 §8.1).
      /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i,
      { parseAs: 'buffer', bodyLimit },
      (request: GatewayRequest, body, done) => {
        this.bodies.read(request, body as Buffer).then((value) => done(null, value), done);
      },
    );
    fastify.server.on('checkExpectation', answerExpectation);
  }
}

const headerLines = Object.entries(securityHeaders)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');

/** Answers input that Node's HTTP parser refuses, before there is a request, and closes the connection. */
function answerBadRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const code =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'HEADERS_TOO_LARGE'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'REQUEST_TIMEOUT'
        : 'BAD_REQUEST';
  const { status, title } = errorTable[code];
  const requestId = newRequestId();
  const body = JSON.stringify(problemOf(code, title, requestId));
  socket.end(
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? 'Error'}\r\nContent-Type: ${problemMediaType}\r\n` +
      `${headerLines}X-Request-ID: ${requestId}\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Refuses every expectation except 100-continue; Node would answer without a body. */
function answerExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const requestId = newRequestId();
  const problem = problemOf('BAD_REQUEST', 'the expectation of the header Expect is not known', requestId);
  response
    .writeHead(problem.status, {
      ...securityHeaders,
      'content-type': problemMediaType,
      'x-request-id': requestId,
    })
    .end(JSON.stringify(problem));
}
