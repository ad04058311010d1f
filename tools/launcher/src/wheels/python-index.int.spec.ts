import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pythonIndex } from './python-index.js';

describe('a Python package index', () => {
  const servers: Server[] = [];
  async function serve(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<number> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  const json = 'application/vnd.pypi.simple.v1+json';

  it('gives the named file of its JSON listing', async () => {
    const port = await serve((request, response) => {
      if (request.url !== '/simple/project/') return response.end('the wheel');
      response.setHeader('content-type', json);
      return response.end(
        JSON.stringify({ files: [{ filename: 'a.whl', url: '../../files/a.whl', hashes: {} }] }),
      );
    });
    const bytes = await pythonIndex(`http://127.0.0.1:${String(port)}/simple`).download('project', 'a.whl');
    expect(Buffer.from(bytes).toString()).toBe('the wheel');
  });

  it('gives the named file of an older mirror’s HTML', async () => {
    const port = await serve((request, response) => {
      if (request.url !== '/simple/project/') return response.end(request.url);
      response.setHeader('content-type', 'text/html');
      return response.end('<a href="/f/b.whl#sha256=1">b</a><a href="/f/a.whl?x=1&amp;y=2#sha256=2">a</a>');
    });
    const index = pythonIndex(`http://127.0.0.1:${String(port)}/simple/`);
    expect(Buffer.from(await index.download('project', 'b.whl')).toString()).toBe('/f/b.whl');
    await expect(index.download('project', 'c.whl')).rejects.toThrow('does not offer c.whl');
  });

  it('gets the login of its URL; a file elsewhere does not', async () => {
    const seen: (string | undefined)[] = [];
    const files = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end('x');
    });
    const port = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.setHeader('content-type', json);
      const url = `http://127.0.0.1:${String(files)}/a.whl`;
      response.end(JSON.stringify({ files: [{ filename: 'a.whl', url }] }));
    });
    await pythonIndex(`http://me:p%40ss@127.0.0.1:${String(port)}/simple`).download('project', 'a.whl');
    expect(seen).toEqual([`Basic ${Buffer.from('me:p@ss').toString('base64')}`, undefined]);
  });

  it('that refuses is named in the error', async () => {
    const port = await serve((_, response) => {
      response.statusCode = 403;
      response.end();
    });
    await expect(
      pythonIndex(`http://127.0.0.1:${String(port)}/`).download('project', 'a.whl'),
    ).rejects.toThrow('403');
  });
});
