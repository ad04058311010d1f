import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { freePort } from '../process/free-port.js';
import { gatewayPort } from './gateway-port.js';

describe("the gateway's port", () => {
  const servers: Server[] = [];
  const take = async (port: number) => {
    const server = createServer().listen(port, '127.0.0.1');
    servers.push(server);
    await Promise.race([once(server, 'listening'), once(server, 'error')]);
  };
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('is the configured one', async () => {
    const port = await freePort();
    expect(await gatewayPort(port, '127.0.0.1')).toBe(port);
  });

  it('is refused in one sentence when the configured one is taken', async () => {
    const port = await freePort();
    await take(port);
    await expect(gatewayPort(port, '127.0.0.1')).rejects.toThrow(
      `Port ${String(port)} on 127.0.0.1 is taken`,
    );
  });

  it('is the next free one from 3000 when none is configured', async () => {
    const first = await gatewayPort(undefined, '127.0.0.1');
    expect(first).toBeGreaterThanOrEqual(3000);
    await take(first);
    expect(await gatewayPort(undefined, '127.0.0.1')).toBeGreaterThan(first);
  });
});
