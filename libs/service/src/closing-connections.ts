import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Lets an HTTP server close without cutting off a request, and as soon as its last answer is sent. Clients keep connections open between
 * requests: one that sends its next request while the server closes an idle connection gets an error, although nothing is wrong. And
 * Node keeps a connection open after the answer to a request that was under way when the server began to close, for the whole time of
 * keep-alive. So from `begin` on answers say that the connection closes; idle connections get a moment for their next request.
 */
export class ClosingConnections {
  private readonly open = new Set<ServerResponse>();
  private readonly sockets = new Set<Socket>();
  private closing = false;

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      if (this.closing) closeAfter(response);
      this.open.add(response);
      response.once('close', () => this.open.delete(response));
    });
  }

  /**
   * Resolves when the server may close: no connection is idle, or idle ones had their time.
   * @param idleMs how long an idle connection may take for its next request
   */
  async begin(idleMs = 0): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    for (const response of this.open) closeAfter(response);
    for (const until = performance.now() + idleMs; this.hasIdle() && performance.now() < until;)
      await pause(20);
    // An answer whose head was sent before says that the connection stays open.
    setInterval(() => this.server.closeIdleConnections(), 100).unref();
  }

  private hasIdle(): boolean {
    const busy = new Set([...this.open].map(({ socket }) => socket));
    return [...this.sockets].some((socket) => !busy.has(socket));
  }
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
