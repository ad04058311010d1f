import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: {
    readonly id: string;
    readonly type: string;
    readonly subject: string;
    readonly data: object;
  };
  readonly path: string;
}

type Reply = { readonly status: number; readonly headers?: Record<string, string> } | 'hang up' | 'silence';

/** A real HTTP server that acts as a receiver of webhooks: it gives the chosen answers and keeps the requests. */
export interface WebhookReceiver {
  readonly url: string;
  readonly got: Received[];
  /** Sets the further answers; a function gets the request. */
  answer(reply: Reply | ((received: Received) => Reply)): void;
  /** The requests of one path whose signature one of the secrets verifies. */
  verified(path: string, secret: string): Received[];
  stop(): Promise<void>;
}

export async function webhookReceiver(): Promise<WebhookReceiver> {
  const got: Received[] = [];
  let reply: (received: Received) => Reply = () => ({ status: 200 });
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const event = JSON.parse(body) as Received['event'];
      const received = { headers: request.headers, body, event, path: request.url ?? '' };
      got.push(received);
      const answer = reply(received);
      if (answer === 'hang up') request.socket.destroy();
      else if (answer !== 'silence') response.writeHead(answer.status, answer.headers).end('noted');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    got,
    answer: (given) => (reply = typeof given === 'function' ? given : () => given),
    verified: (path, secret) =>
      got.filter((received) => received.path === path && verifies(secret, received)),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function verifies(secret: string, { body, headers }: Received): boolean {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}
