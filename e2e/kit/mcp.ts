import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  type CallToolResult,
  type ElicitRequest,
  ElicitRequestSchema,
  type ElicitResult,
} from '@modelcontextprotocol/sdk/types.js';
import type { PythonEnvironment } from './python-environment.js';

export const al = fileURLToPath(new URL('../../libs/cli/bin/al.mjs', import.meta.url));

/** The person at a client: sees the question, and answers. */
export type Person = (asked: ElicitRequest['params']) => ElicitResult | Promise<ElicitResult>;

export interface ToolAnswer {
  readonly text: string;
  readonly isError: boolean;
  readonly structured: Record<string, unknown>;
}

export interface Assistant {
  readonly client: Client;
  call(
    name: string,
    args: Record<string, unknown>,
    options?: Parameters<Client['callTool']>[2],
  ): Promise<ToolAnswer>;
}

const clientFor = (person: Person | undefined) => {
  const client = new Client(
    { name: 'test', version: '1' },
    { capabilities: person === undefined ? {} : { elicitation: {} } },
  );
  if (person !== undefined)
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => await person(params));
  return client;
};

const assistantOf = (client: Client): Assistant => ({
  client,
  call: async (name, args, options) => {
    const result = (await client.callTool({ name, arguments: args }, undefined, options)) as CallToolResult;
    const [first] = result.content;
    return {
      text: first?.type === 'text' ? first.text : '',
      isError: result.isError === true,
      structured: result.structuredContent ?? {},
    };
  },
});

/** The official client of TypeScript, over HTTP. `fetch` may send each of its requests to another gateway. */
export async function overHttp(
  baseUrl: string,
  key: string,
  { person, fetch: ownFetch }: { person?: Person | undefined; fetch?: typeof fetch } = {},
): Promise<Assistant> {
  const client = clientFor(person);
  await client.connect(
    new StreamableHTTPClientTransport(new URL('/mcp', baseUrl), {
      requestInit: { headers: { authorization: `Bearer ${key}` } },
      ...(ownFetch === undefined
        ? {}
        : { fetch: (url: string | URL, init?: RequestInit) => ownFetch(url, init) }),
    }),
  );
  return assistantOf(client);
}

const environmentOf = (baseUrl: string, key: string) => ({
  PATH: process.env['PATH'] ?? '',
  ...{ AL_API_KEY: key, AL_BASE_URL: baseUrl },
});

/** The same over standard input and output: `al mcp`. */
export async function overStdio(
  baseUrl: string,
  key: string,
  { person }: { person?: Person | undefined } = {},
) {
  const client = clientFor(person);
  await client.connect(
    new StdioClientTransport({
      ...{
        command: process.execPath,
        args: [al, 'mcp'],
        env: environmentOf(baseUrl, key),
        stderr: 'inherit',
      },
    }),
  );
  return assistantOf(client);
}

/** What the Python client makes of orders, and Python of TOML (mcp_client.py). */
export async function inPython(environment: PythonEnvironment, orders: readonly unknown[]): Promise<unknown> {
  const script = fileURLToPath(new URL('mcp_client.py', import.meta.url));
  const child = spawn(environment.program('python'), ['-W', 'ignore', script], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  let [out, said] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.end(JSON.stringify(orders));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the Python client ended with ${String(code)}:\n${said}`);
  return JSON.parse(out);
}

/** `al mcp` as a process that is sent lines, whatever they are. */
export function rawStdio(baseUrl: string, key: string) {
  const child = spawn(process.execPath, [al, 'mcp'], { env: environmentOf(baseUrl, key) });
  let [out, said] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, ended, out: () => out, said: () => said };
}

/** One HTTP request to `/mcp`, as no client would send it. */
export async function postMcp(
  baseUrl: string,
  {
    body,
    headers = {},
    method = 'POST',
  }: { body?: string; headers?: Record<string, string>; method?: string },
): Promise<{ status: number; text: string; session: string | null }> {
  const response = await fetch(new URL('/mcp', baseUrl), {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  return {
    status: response.status,
    text: await response.text(),
    session: response.headers.get('mcp-session-id'),
  };
}
