import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/**
 * Lets an HTTP server close as soon as its last answer is sent. Node keeps a connection open after the answer to a request
 * that was under way when the server began to close, for the whole time of keep-alive, and its client would send the next
 * request to a process that ends. So from `begin` on, answers say that the connection closes, and idle connections are closed.
 */
export class ClosingConnections {
  private readonly open = new Set<ServerResponse>();
  private closing = false;

  constructor(private readonly server: Server) {
    server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      if (this.closing) return closeAfter(response);
      this.open.add(response);
      response.once('close', () => this.open.delete(response));
    });
  }

  begin(): void {
    if (this.closing) return;
    this.closing = true;
    for (const response of this.open) closeAfter(response);
    this.open.clear();
    // An answer whose head was sent before says that the connection stays open.
    setInterval(() => this.server.closeIdleConnections(), 100).unref();
  }
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
