import type { Readable, Writable } from 'node:stream';
import { clientFor, serveStdio } from '@agentlattice/mcp-server';
import type { Config } from '../config.js';
import { safeText } from '../render/safe-text.js';
import type { Terminal } from '../terminal.js';

export interface McpPorts {
  readonly config: Config & { readonly retryForMs: number };
  readonly input: Readable;
  /** MCP messages only; everything for a person goes to the terminal's other output. */
  readonly output: Writable;
  readonly terminal: Pick<Terminal, 'say'>;
}

/** Serves one MCP client over standard input and output until the client ends it. */
export async function mcp({ config, input, output, terminal }: McpPorts): Promise<void> {
  const { apiKey, baseUrl, retryForMs } = config;
  await serveStdio(
    {
      sdk: clientFor({ apiKey, baseUrl, retryForMs }),
      publicUrl: baseUrl,
      onFault: (error) =>
        terminal.say(`al mcp: ${safeText(error instanceof Error ? error.message : String(error))}`),
    },
    { input, output },
  );
}
