import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A proxy between a client and its server that can cut connections or silently drop their data. */
export interface SilentProxy {
  /** The server's URL through the proxy. */
  readonly url: string;
  /** The number of connections made so far. */
  readonly made: () => number;
  /** Drops all further data of the present connections without closing them; new connections work. */
  swallow(): void;
  /** Resets all present connections at once; new connections work. */
  cut(): void;
  stop(): Promise<void>;
}

export async function silentProxy(serverUrl: string): Promise<SilentProxy> {
  const url = new URL(serverUrl);
  const target = { host: url.hostname, port: Number(url.port) };
  const pairs = new Set<readonly [Socket, Socket]>();
  let made = 0;
  const server = createServer((client) => {
    made += 1;
    const upstream = connect(target);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.pipe(upstream);
    upstream.pipe(client);
    for (const socket of pair) socket.on('error', () => {});
    upstream.on('close', () => {
      // A swallowed connection stays open and silent.
      if (pairs.delete(pair)) client.destroy();
    });
    client.on('close', () => {
      if (pairs.delete(pair)) upstream.destroy();
    });
  });
  const swallowed: (readonly [Socket, Socket])[] = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // By TCP, also when the server's own clients use its socket.
  url.searchParams.delete('host');
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    made: () => made,
    swallow: () => {
      for (const pair of pairs) {
        const [client, upstream] = pair;
        client.unpipe(upstream).pause();
        upstream.unpipe(client).pause();
        swallowed.push(pair);
      }
      pairs.clear();
    },
    cut: () => {
      for (const [client, upstream] of pairs) {
        client.resetAndDestroy();
        upstream.destroy();
      }
      pairs.clear();
    },
    stop: async () => {
      for (const socket of [...pairs, ...swallowed].flat()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
