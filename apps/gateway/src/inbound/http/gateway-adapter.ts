import { errorTable, Refused } from '@agentlattice/contracts';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { isUtf8 } from 'node:buffer';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { typeid } from 'typeid-js';
import { jsonFaults } from '../../domain/json-faults.js';
import { isPlainJson, type JsonScan, scanJson } from '../../domain/json-scan.js';
import { BodyBudget, memoryOf } from './body-budget.js';
import type { GatewayRequest } from './http-request.js';
import { problemMediaType, problemOf } from './problem-filter.js';

export const bodyLimit = 256 * 1024;
const newRequestId = () => typeid('req').toString();
const sentRequestId = /^[A-Za-z0-9._:-]{1,128}$/;

/** Fastify with our body parser and with problems for what never reaches Nest. */
export class GatewayAdapter extends FastifyAdapter {
  constructor(private readonly budget = new BodyBudget()) {
    super({
      bodyLimit,
      // Long enough for any identifier; what is longer is no identifier.
      routerOptions: { maxParamLength: 255 },
      forceCloseConnections: 'idle',
      // What still comes while we close is answered like any other request.
      return503OnClosing: false,
      requestTimeout: 30_000,
      genReqId: ({ headers }: { headers: Record<string, unknown> }) => {
        const sent = headers['x-request-id'];
        return typeof sent === 'string' && sentRequestId.test(sent) ? sent : newRequestId();
      },
      clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => answerBadRequest(error, socket),
      frameworkErrors: (_error: Error, request: FastifyRequest, reply: FastifyReply) => {
        reply
          .status(400)
          .header('x-request-id', request.id)
          .header('content-type', problemMediaType)
          .send(JSON.stringify(problemOf('BAD_REQUEST', 'the URL cannot be read', request.id)));
      },
    });
  }

  /** JSON and nothing else, looked through for values that JSON programs disagree about. */
  override registerParserMiddleware(): void {
    const fastify = this.getInstance();
    fastify.removeAllContentTypeParsers();
    fastify.addHook('onRequest', (request: GatewayRequest, reply, done) => {
      // Whatever becomes of the request: this comes once, also when the client has gone.
      if (request.method !== 'GET')
        reply.raw.once('close', () => this.budget.giveBack(request.bodyMemory ?? 0, request.orgId));
      done();
    });
    fastify.addContentTypeParser(
      // UTF-8 and nothing else (RFC 8259 §8.1).
      /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i,
      { parseAs: 'buffer', bodyLimit },
      (request: GatewayRequest, body, done) => {
        try {
          const scan = scanJson(body as Buffer);
          const memory = memoryOf(body.length, scan);
          this.budget.take(memory, request.orgId);
          request.bodyMemory = memory;
          request.largeBody?.charge(scan.values);
          if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
            throw new Refused('UNSUPPORTED_MEDIA_TYPE', 'the body must not be compressed');
          done(null, parseStrictly(utf8(body as Buffer), scan));
        } catch (error) {
          done(error as Error, undefined);
        }
      },
    );
  }
}

/** Bytes that are no UTF-8 would become the same character, and different bodies the same digest. */
function utf8(body: Buffer): string {
  if (!isUtf8(body)) throw new Refused('INVALID_JSON', 'the body is not UTF-8');
  return body.toString('utf8');
}

/** @throws Refused INVALID_JSON or INVALID_JSON_VALUE */
function parseStrictly(text: string, scan: JsonScan): unknown {
  if (text === '') return undefined;
  // Never parsed: V8 would read later bodies wrongly (nodejs/node#63785).
  if (scan.backslashInName)
    throw invalidValues(text) ?? new Refused('INVALID_JSON', 'the body is not valid JSON');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused('INVALID_JSON', 'the body is not valid JSON');
  }
  if (isPlainJson(value, scan)) return value;
  const refusal = invalidValues(text);
  if (refusal === null) return value;
  throw refusal;
}

/** Null when there is none. */
function invalidValues(text: string): Refused | null {
  let errors;
  try {
    errors = jsonFaults(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    errors = [{ pointer: '', detail: 'is nested too deeply' }];
  }
  const [first] = errors;
  return first === undefined
    ? null
    : new Refused('INVALID_JSON_VALUE', `${first.pointer} ${first.detail}`, { errors });
}

/** What Node's HTTP parser refuses, before there is a request: answered by hand, then closed. */
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
      `X-Request-ID: ${requestId}\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\nConnection: close\r\n\r\n${body}`,
  );
}
