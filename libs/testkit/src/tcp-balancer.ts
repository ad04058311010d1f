import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** One address for several servers, as a Service of Kubernetes is one for several pods. */
export interface TcpBalancer {
  readonly url: string;
  /** New connections also go to this port of the machine. */
  add(port: number): void;
  /** No new connection goes there; open ones stay, as those to a pod that is being stopped do. */
  remove(port: number): void;
  stop(): Promise<void>;
}

/**
 * Gives each new connection to the next server in turn. A connection that a server refuses goes to the next one, because no byte was sent
 * yet; everything later that fails is seen by the client.
 */
export async function tcpBalancer(ports: readonly number[]): Promise<TcpBalancer> {
  let targets = [...ports];
  let turn = 0;
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    open.add(client);
    client.once('close', () => open.delete(client));
    client.on('error', () => undefined);
    const first = turn++;
    void (async () => {
      // A copy: targets may change while servers are tried.
      const tried = [...targets];
      for (let n = 0; n < tried.length; n++) {
        const port = tried[(first + n) % tried.length];
        const upstream = port === undefined ? undefined : await opened(port);
        if (upstream !== undefined) return join(client, upstream);
      }
      client.resetAndDestroy();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    add: (added) => (targets = [...targets.filter((target) => target !== added), added]),
    remove: (removed) => (targets = targets.filter((target) => target !== removed)),
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Undefined when the server refuses. */
function opened(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.setNoDelay(true);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

/** What one side sends, ends or breaks off, the other side gets. */
function join(client: Socket, upstream: Socket): void {
  client.setNoDelay(true);
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.resetAndDestroy());
    from.once('close', () => to.destroySoon());
  }
  if (client.destroyed) upstream.destroy();
}
