import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { makeMcpServer, type McpServerOptions } from './server.js';

/** A client never sends more at once; what is longer ends the connection. */
const longestMessage = 1024 * 1024;

/** Serves one client over a pair of streams until the client closes its side. */
export async function serveStdio(
  options: McpServerOptions,
  { input, output }: { readonly input: Readable; readonly output: Writable },
): Promise<void> {
  const transport = new StdioServerTransport(input, output, { maxBufferSize: longestMessage });
  const server = makeMcpServer(options);
  const closed = new Promise<void>((resolve) => (server.onclose = resolve));
  input.once('end', () => void server.close());
  input.once('close', () => void server.close());
  await server.connect(transport);
  await closed;
}
