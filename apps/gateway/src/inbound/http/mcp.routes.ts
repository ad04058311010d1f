import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { mcpEndpoint, problemOf, Refused } from '@agentlattice/contracts';
import { clientFor, type Identity, makeMcpServer, offersForms } from '@agentlattice/mcp-server';
import type { Logger } from '@agentlattice/observability';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import {
  InitializeRequestSchema,
  isJSONRPCRequest,
  type JSONRPCMessage,
  JSONRPCMessageSchema,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/sdk/types.js';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { GatewayConfig } from '../../config.js';
import { isKnownHost } from '../../domain/known-host.js';
import { mcpOwnerOf, mcpSessionId, readMcpSession } from '../../domain/mcp-session.js';
import type { Principal } from '../../domain/principal.js';
import type { Admission } from './admission.js';
import { refuseCrossSite } from './cross-site.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { McpCallTransport } from './mcp-call-transport.js';
import type { McpCalls } from './mcp-calls.js';
import { type ProblemFilter, sendProblem } from './problem-filter.js';

export interface McpRouteSteps {
  readonly admission: Pick<Admission, 'admit'>;
  readonly calls: McpCalls;
  readonly problems: Pick<ProblemFilter, 'problemFor'>;
  readonly logger: Logger;
  readonly config: Pick<GatewayConfig, 'publicUrl' | 'mcpHosts' | 'mcpElicitation'>;
}

/** A caller and its key, as they came with one HTTP request. */
interface Admitted {
  readonly principal: Principal;
  readonly key: string;
  readonly keyHash: string;
}

/** Codes of JSON-RPC errors: of MCP's own transport, and of the protocol of 2026-07-28, whose clients try it first. */
const codes = { refused: -32_000, sessionNotFound: -32_001, unsupportedVersion: -32_022 } as const;
const otherMethods = ['GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'];
/** The API is this process, so a call that fails for longer is answered. */
const retryForMs = 3_000;
/** Also to clients that do not want progress: no proxy in between takes the connection for dead. */
const keepAliveMs = 15_000;

/**
 * MCP over HTTP. Each request is served alone, by a server with the caller's key that calls the API of this gateway; the session
 * id says the rest, so any gateway can serve it. Nothing is sent outside of answers, so there is no stream to open by GET.
 */
export function addMcpRoutes(app: NestFastifyApplication, steps: McpRouteSteps): void {
  const fastify = app.getHttpAdapter().getInstance();
  const { path } = mcpEndpoint;
  const errorHandler = (error: unknown, request: GatewayRequest, reply: GatewayReply) => {
    sendProblem(reply, steps.problems.problemFor(error, request, reply));
  };
  fastify.route({
    method: otherMethods,
    url: path,
    errorHandler,
    handler: (request: GatewayRequest, reply: GatewayReply) => {
      reply.header('allow', 'POST');
      sendProblem(reply, problemOf('METHOD_NOT_ALLOWED', `${path} has POST`, request.id));
    },
  });
  const ownUrl = () => addressOf(fastify.server.address());
  fastify.route({
    method: 'POST',
    url: path,
    errorHandler,
    onRequest: (request: GatewayRequest, _reply, done) => {
      try {
        checkHost(request, steps.config);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    handler: async (request: GatewayRequest, reply: GatewayReply) => {
      const admitted = await admit(steps.admission, request, reply);
      await sendResponse(reply, await answer(steps, admitted, ownUrl(), request, reply));
      return reply;
    },
  });
}

/** @throws Refused FORBIDDEN or CSRF */
function checkHost(request: GatewayRequest, { publicUrl, mcpHosts }: McpRouteSteps['config']): void {
  if (!isKnownHost(request.host, publicUrl, mcpHosts))
    throw new Refused(
      'FORBIDDEN',
      'MCP is not served under this host name; name it in AL_PUBLIC_URL or MCP_HOSTS',
    );
  refuseCrossSite(request);
}

/** By a key alone: a browser sends the cookie of a session by itself. */
async function admit(
  admission: McpRouteSteps['admission'],
  request: GatewayRequest,
  reply: GatewayReply,
): Promise<Admitted> {
  const key = /^Bearer ([\w-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (key === undefined) throw new Refused('UNAUTHENTICATED', 'send a key as “Authorization: Bearer <key>”');
  const principal = await admission.admit(mcpEndpoint, request, reply);
  if (principal === undefined || typeof request.keyHash !== 'string') throw new Error('MCP needs a caller');
  return { principal, key, keyHash: request.keyHash };
}

async function answer(
  steps: McpRouteSteps,
  admitted: Admitted,
  ownUrl: string,
  request: GatewayRequest,
  reply: GatewayReply,
): Promise<Response> {
  const { keyHash } = admitted;
  const asked = request.headers['mcp-protocol-version'];
  if (asked !== undefined && !SUPPORTED_PROTOCOL_VERSIONS.includes(String(asked)))
    return refusal(400, codes.unsupportedVersion, 'Unsupported protocol version', {
      supported: SUPPORTED_PROTOCOL_VERSIONS,
      requested: String(asked).slice(0, 40),
    });
  const messages = messagesIn(request.body);
  const http = new WebStandardStreamableHTTPServerTransport({ keepAliveMs });
  // What is no message is refused by the transport itself.
  if (messages === null) return http.handleRequest(webRequest(request), { parsedBody: request.body });
  const begins = messages
    .map((message) => InitializeRequestSchema.safeParse(message).data)
    .find((one) => one !== undefined);
  const sessionId =
    begins === undefined
      ? request.headers['mcp-session-id']
      : mcpSessionId({ offersForms: offersForms(begins.params.capabilities) }, keyHash, randomUUID());
  if (typeof sessionId !== 'string')
    return refusal(400, codes.refused, 'The header Mcp-Session-Id is needed; begin with initialize');
  const session = readMcpSession(sessionId, keyHash);
  if (session === null)
    return refusal(404, codes.sessionNotFound, 'Session not found; begin again with initialize');
  const owner = mcpOwnerOf(sessionId, keyHash);
  const requests = messages.filter((message) => isJSONRPCRequest(message));
  if (requests.length === 0) {
    for (const message of messages.filter(concernsCall)) steps.calls.pass({ owner, message: { ...message } });
    return new Response(null, { status: 202 });
  }
  const transport = new McpCallTransport(http, new Set(requests.map(({ id }) => id)));
  const server = makeMcpServer({
    sdk: clientFor({ apiKey: admitted.key, baseUrl: ownUrl, retryForMs, requestId: request.id }),
    identity: identityOf(admitted, steps),
    canAskPerson: session.offersForms,
    publicUrl: steps.config.publicUrl ?? `${request.protocol}://${request.host}`,
    onFault: (error) => steps.logger.warn({ err: error, request_id: request.id }, 'an MCP call failed'),
  });
  const leave = steps.calls.add({
    ...{ owner, keyHash, principal: admitted.principal },
    end: (why) => void transport.refuse(why).finally(() => server.close()),
    receive: (message) => transport.receive(message),
  });
  reply.raw.once('close', () => {
    leave();
    void server.close();
  });
  await server.connect(transport);
  const response = await http.handleRequest(webRequest(request), { parsedBody: request.body });
  if (begins !== undefined && response.ok) response.headers.set('mcp-session-id', sessionId);
  return response;
}

/** Other notifications change nothing here. */
const concernsCall = (message: JSONRPCMessage): boolean =>
  !('method' in message) || message.method === 'notifications/cancelled';

/** Null where one of them is no message of JSON-RPC. */
function messagesIn(body: unknown): JSONRPCMessage[] | null {
  const read = (Array.isArray(body) ? body : [body]).map((one) => JSONRPCMessageSchema.safeParse(one).data);
  const messages = read.filter((message) => message !== undefined);
  return messages.length === read.length && messages.length > 0 ? messages : null;
}

/** Only what the transport looks at. */
function webRequest({ headers }: GatewayRequest): Request {
  const passed = ['accept', 'content-type', 'mcp-protocol-version'] as const;
  return new Request('http://gateway/mcp', {
    method: 'POST',
    headers: passed.flatMap((name): [string, string][] =>
      headers[name] === undefined ? [] : [[name, String(headers[name])]],
    ),
  });
}

const identityOf =
  ({ principal }: Admitted, { config }: McpRouteSteps) =>
  (): Promise<Identity> =>
    Promise.resolve({
      kind: principal.kind,
      role: principal.kind === 'operator' ? principal.role : null,
      scopes: principal.kind === 'service' ? principal.scopes : [],
      elicitationRequired: config.mcpElicitation === 'required',
    });

const refusal = (status: number, code: number, message: string, data?: object) =>
  new Response(
    JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message, ...(data && { data }) } }),
    {
      status,
      headers: { 'content-type': 'application/json' },
    },
  );

/** Set for every answer by the gateway's own hooks. */
const ownHeaders: ReadonlySet<string> = new Set(['connection', 'cache-control']);

async function sendResponse(reply: GatewayReply, response: Response): Promise<void> {
  reply.status(response.status);
  for (const [name, value] of response.headers) if (!ownHeaders.has(name)) reply.header(name, value);
  await (response.body === null
    ? reply.send()
    : reply.send(Readable.fromWeb(response.body as ReadableStream)));
}

/** This process, as it is reached from this machine. */
function addressOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string')
    throw new Error('the gateway does not listen on a port');
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[address.address] ?? address.address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${String(address.port)}`;
}
