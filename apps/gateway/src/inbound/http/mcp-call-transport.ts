import { randomUUID } from 'node:crypto';
import type { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Transport, TransportSendOptions } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  ErrorCode,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  JSONRPCMessageSchema,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';

/**
 * The transport of one HTTP request. The server of each request counts its own questions from 0, so they get ids here that are
 * unique and cannot be guessed; the client's answer, which comes with another HTTP request, finds its call by them.
 */
export class McpCallTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport['onmessage']>;
  private readonly questions = new Map<string, RequestId>();

  constructor(
    private readonly http: WebStandardStreamableHTTPServerTransport,
    /** The ids of the client's requests. */
    private readonly requests: ReadonlySet<RequestId>,
  ) {
    http.onclose = () => this.onclose?.();
    http.onerror = (error) => this.onerror?.(error);
    http.onmessage = (message, extra) => this.onmessage?.(message, extra);
  }

  start(): Promise<void> {
    return this.http.start();
  }

  close(): Promise<void> {
    return this.http.close();
  }

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    const relatedRequestId = options?.relatedRequestId;
    return this.http.send(this.renamed(message), relatedRequestId === undefined ? {} : { relatedRequestId });
  }

  /** Ends the call with an error: a client waits for its answer also after the connection has ended. */
  async refuse(message: string): Promise<void> {
    for (const id of this.requests)
      await this.http
        .send({ jsonrpc: '2.0', id, error: { code: ErrorCode.ConnectionClosed, message } })
        // It was answered already.
        .catch(() => undefined);
  }

  /** A message that came with another HTTP request. @returns whether it belongs to this call */
  receive(sent: unknown): boolean {
    const { data: message } = JSONRPCMessageSchema.safeParse(sent);
    if (message === undefined) return false;
    if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) {
      const own = this.questions.get(String(message.id));
      if (own === undefined) return false;
      this.questions.delete(String(message.id));
      this.onmessage?.({ ...message, id: own });
      return true;
    }
    if (!isJSONRPCNotification(message) || message.method !== 'notifications/cancelled') return false;
    if (!this.requests.has(message.params?.['requestId'] as RequestId)) return false;
    this.onmessage?.(message);
    return true;
  }

  private renamed(message: JSONRPCMessage): JSONRPCMessage {
    if (isJSONRPCRequest(message)) {
      const id = randomUUID();
      this.questions.set(id, message.id);
      return { ...message, id };
    }
    if (!isJSONRPCNotification(message) || message.method !== 'notifications/cancelled') return message;
    const { params } = message;
    const id = [...this.questions].find(([, own]) => own === params?.['requestId'])?.[0];
    return id === undefined ? message : { ...message, params: { ...params, requestId: id } };
  }
}
