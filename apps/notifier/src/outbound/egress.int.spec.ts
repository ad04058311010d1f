import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type NameServer, nameServer } from '../../test/name-server.js';
import { Egress } from './egress.js';
import { NameResolver } from './resolve-name.js';

/** A server on every address of this machine that counts its connections. */
const reached: string[] = [];
let server: Server;
let port = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/redirect')
      response.writeHead(302, { location: `http://[::1]:${String(port)}/private` });
    else if (request.url === '/never') return;
    else if (request.url === '/endless') {
      response.writeHead(200);
      const write = () => {
        while (!response.destroyed && response.write('x'.repeat(1_024)));
      };
      response.on('drain', write);
      return write();
    } else response.writeHead(200, { 'retry-after': '7' });
    response.end(`this is ${String(request.url)}`);
  });
  server.on('connection', (socket) => reached.push(socket.remoteAddress ?? ''));
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => reached.splice(0));

const post = (egress: Egress, url: string, timeoutMs = 5_000) =>
  egress.post({ url, headers: { a: 'b' }, body: 'hello', signal: new AbortController().signal, timeoutMs });

describe('addresses of users', () => {
  it.each([
    'localhost',
    'localhost.',
    'LOCALHOST',
    'sub.localhost',
    '127.0.0.1',
    '127.1',
    '127.255.255.254',
    '0x7f000001',
    '0x7f.1',
    '2130706433',
    '017700000001',
    '0177.0.0.01',
    '0',
    '0.0.0.0',
    '0.1.2.3',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '%31%32%37.0.0.1',
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '[2001::1]',
    '[fe80::1]',
    '[fec0::1]',
    '[fc00::1]',
    '[fd12:3456::1]',
    '[ff02::1]',
    '[100::1]',
    '[2001:db8::1]',
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '169.254.1.1',
    '100.64.0.1',
    '192.0.0.8',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
  ])('%s is not connected to', async (host) => {
    const failure = await post(new Egress([]), `http://${host}:${String(port)}/`).then(
      () => 'it answered',
      (error: unknown) => (error as Error).message,
    );
    // A name that does not resolve here counts as a refusal; nothing may arrive.
    expect(failure).toMatch(/EGRESS_ALLOW|ENOTFOUND|EAI_AGAIN|Invalid URL/);
    expect(reached).toEqual([]);
  });

  it('are refused by https as well', async () => {
    await expect(post(new Egress([]), `https://127.0.0.1:${String(port)}/`)).rejects.toThrow('EGRESS_ALLOW');
    expect(reached).toEqual([]);
  });

  it('are reached when the operator allows their network, and no others', async () => {
    const egress = new Egress(['127.0.0.1/32']);
    const answer = await post(egress, `http://127.0.0.1:${String(port)}/hello`);
    expect(answer).toMatchObject({ status: 200, text: 'this is /hello', headers: { 'retry-after': '7' } });
    await expect(post(egress, `http://127.0.0.2:${String(port)}/`)).rejects.toThrow('EGRESS_ALLOW');
    await expect(post(egress, `http://[::ffff:127.0.0.1]:${String(port)}/`)).rejects.toThrow('EGRESS_ALLOW');
    expect(reached).toHaveLength(1);
    const other = await post(new Egress(['::1/128']), `http://[::1]:${String(port)}/`);
    expect(other.status).toBe(200);
  });

  it('print nothing on stderr about networks of the other family', async () => {
    const { warn } = console;
    const warned: unknown[] = [];
    console.warn = (...given: unknown[]) => warned.push(given);
    try {
      const egress = new Egress(['127.0.0.0/8', '::1/128']);
      for (const host of ['127.0.0.1', '[::1]', 'localhost'])
        expect(await post(egress, `http://${host}:${String(port)}/`)).toMatchObject({ status: 200 });
      await expect(post(egress, 'http://[fd00::1]/')).rejects.toThrow('EGRESS_ALLOW');
    } finally {
      console.warn = warn;
    }
    expect(warned).toEqual([]);
  });

  it('cannot lead elsewhere by a redirect', async () => {
    const answer = await post(
      new Egress(['127.0.0.0/8', '::1/128']),
      `http://127.0.0.1:${String(port)}/redirect`,
    );
    expect(answer.status).toBe(302);
    expect(reached).toHaveLength(1);
  });

  it('cannot make the notifier read or wait without end', async () => {
    const egress = new Egress(['127.0.0.0/8']);
    const endless = await post(egress, `http://127.0.0.1:${String(port)}/endless`);
    expect(endless.status).toBe(200);
    expect(endless.text.length).toBeLessThanOrEqual(2_048);
    await expect(post(egress, `http://127.0.0.1:${String(port)}/never`, 100)).rejects.toThrow('ETIMEDOUT');
  });
});

describe('names', () => {
  let names: NameServer;
  let resolver: NameResolver;
  beforeAll(async () => {
    names = await nameServer({
      'inside.example': ['127.0.0.1'],
      'inside6.example': ['::1'],
      'both.example': ['93.184.215.14', '127.0.0.1'],
      'hidden.example': ['::ffff:127.0.0.1'],
    });
    resolver = new NameResolver({
      servers: [names.address],
      hostsFile: '/nowhere',
      resolverFile: '/nowhere',
    });
  });
  afterAll(() => names.stop());

  it.each(['inside', 'inside6', 'both', 'hidden'])(
    'that lead inside are refused by the address that would be connected to: %s',
    async (name) => {
      const asked = post(new Egress([], resolver), `http://${name}.example:${String(port)}/`);
      await expect(asked).rejects.toThrow('EGRESS_ALLOW');
      expect(reached).toEqual([]);
    },
  );

  it('may resolve to networks that the operator allows', async () => {
    const url = (name: string) => `http://${name}.example:${String(port)}/`;
    const egress = new Egress(['127.0.0.0/8'], resolver);
    expect(await post(egress, url('inside'))).toMatchObject({ status: 200 });
    await expect(post(egress, url('inside6'))).rejects.toThrow('EGRESS_ALLOW');
    await expect(post(egress, url('none'))).rejects.toThrow('ENOTFOUND');
    expect(reached).toHaveLength(1);
  });
});
