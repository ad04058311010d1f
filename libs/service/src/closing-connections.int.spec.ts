import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@agentlattice/testkit';
import { ClosingConnections } from './closing-connections.js';

describe('a server that closes', () => {
  const agent = new Agent({ keepAlive: true });
  const held: ServerResponse[] = [];
  let server: Server;
  let connections: ClosingConnections;
  const ask = () =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      get({ port, agent, path: '/' }, (response) => {
        response.resume();
        response.once('end', () => resolve(response));
        response.once('error', reject);
      }).once('error', reject);
    });

  beforeEach(async () => {
    held.length = 0;
    // Longer than the time limit of the test.
    server = createServer({ keepAliveTimeout: 300_000 }, (_request, response) => held.push(response));
    connections = new ClosingConnections(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => agent.destroy());

  const closed = () => new Promise<void>((resolve) => server.close(() => resolve()));

  it('answers what it holds, says that the connection closes, and is closed after the last answer', async () => {
    const answer = ask();
    await eventually(() => held.length === 1);
    await connections.begin();
    const closing = closed();
    held[0]?.end('held');
    expect((await answer).headers.connection).toBe('close');
    await closing;
  });

  it('does not wait for a connection whose answer began before', async () => {
    const answer = ask();
    await eventually(() => held.length === 1);
    held[0]?.write('first half');
    await connections.begin();
    const closing = closed();
    held[0]?.end('second half');
    expect((await answer).headers.connection).toBe('keep-alive');
    await closing;
  });

  it('keeps connections while it does not close', async () => {
    const answer = ask();
    await eventually(() => held.length === 1);
    held[0]?.end('answer');
    expect((await answer).headers.connection).toBe('keep-alive');
    await connections.begin();
    await closed();
  });

  it('does not cut off the next request on a connection that is idle', async () => {
    const first = ask();
    await eventually(() => held.length === 1);
    held[0]?.end('first');
    await first;
    const ready = connections.begin(60_000);
    const second = ask();
    await eventually(() => held.length === 2);
    await ready;
    const closing = closed();
    held[1]?.end('second');
    expect((await second).headers.connection).toBe('close');
    await closing;
  });
});
